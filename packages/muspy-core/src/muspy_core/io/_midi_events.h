/* One message after another from the body of a MIDI track: the only code that touches the bytes of a file. */
#ifndef MIDI_EVENTS_H
#define MIDI_EVENTS_H
#include "_midi_tables.h"

typedef struct {
    const uint8_t *data;
    size_t at, end;
    uint8_t running;
} Cursor;

static int read_number(Cursor *c, uint32_t *value)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++) {
        if (c->at >= c->end) return CUT_MESSAGE;
        uint8_t byte = c->data[c->at++];
        number = number << 7 | (byte & 0x7Fu);
        if (byte < 0x80) {
            *value = number;
            return FINE;
        }
    }
    return LONG_NUMBER;
}

static int data_length(uint8_t status)
{
    if (status < 0xF0) return (status & 0xE0) == 0xC0 ? 1 : 2;
    switch (status) {
    case 0xF2: return 2;
    case 0xF1: case 0xF3: return 1;
    case 0xF6: case 0xF8: case 0xFA: case 0xFB: case 0xFC: case 0xFE: return 0;
    default: return -1;
    }
}

static int read_data_bytes(Cursor *c, Event *e)
{
    int length = data_length(e->status);
    if (length < 0) {
        c->at--;
        return UNDEFINED_STATUS;
    }
    e->offset = (uint32_t)c->at;
    e->length = (uint32_t)length;
    for (int i = 0; i < length; i++) {
        if (c->at >= c->end) return CUT_MESSAGE;
        uint8_t byte = c->data[c->at];
        if (byte > 0x7F) return HIGH_DATA_BYTE;
        c->at++;
        if (i == 0) e->first = byte;
        else e->second = byte;
    }
    return FINE;
}

static int read_payload(Cursor *c, Event *e)
{
    int fault = read_number(c, &e->length);
    if (fault) return fault;
    if (e->length > c->end - c->at) return CUT_MESSAGE;
    e->offset = (uint32_t)c->at;
    c->at += e->length;
    return FINE;
}

/* Read the delta time and the message at the cursor. On a fault the cursor stands where it was found. Running status
 * outlives meta, system exclusive and system common messages, as careless files expect. */
static int read_any_event(Cursor *c, Event *e)
{
    int fault = read_number(c, &e->delta);
    if (fault) return fault;
    if (c->at >= c->end) return CUT_MESSAGE;
    uint8_t byte = c->data[c->at];
    e->first = e->second = e->type = 0;
    if (byte < 0x80) {
        if (!c->running) return NO_RUNNING_STATUS;
        e->status = c->running;
        return read_data_bytes(c, e);
    }
    c->at++;
    e->status = byte;
    if (byte < 0xF0) {
        c->running = byte;
        return read_data_bytes(c, e);
    }
    if (byte == 0xFF) {
        if (c->at >= c->end) return CUT_MESSAGE;
        e->type = c->data[c->at++];
        return read_payload(c, e);
    }
    if (byte == 0xF0 || byte == 0xF7) return read_payload(c, e);
    return read_data_bytes(c, e);
}

/* The same, with a short way for nearly all messages: two data bytes, seven bytes at most with the delta time. */
static inline int read_event(Cursor *c, Event *e)
{
    if (c->end - c->at >= 7) {
        const uint8_t *d = c->data + c->at;
        uint32_t delta = *d & 0x7Fu;
        for (int i = 0; i < 3 && *d & 0x80; i++) delta = delta << 7 | (*++d & 0x7Fu);
        if (*d++ < 0x80) {
            uint8_t status = *d & 0x80 ? *d++ : c->running;
            if (status >= 0x80 && status < 0xF0 && (status & 0xE0) != 0xC0 && !((d[0] | d[1]) & 0x80)) {
                c->running = e->status = status;
                e->delta = delta;
                e->first = d[0];
                e->second = d[1];
                e->type = 0;
                e->offset = (uint32_t)(d - c->data);
                e->length = 2;
                c->at = e->offset + 2;
                return FINE;
            }
        }
    }
    return read_any_event(c, e);
}

static uint32_t tempo_of(const Parse *p, const Event *e)
{
    if (e->status != 0xFF || e->type != 0x51 || e->length != 3) return 0;
    const uint8_t *b = p->data + e->offset;
    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

#endif
