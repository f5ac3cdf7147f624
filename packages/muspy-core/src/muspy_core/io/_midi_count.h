/* The first pass: check the file, make events of its bytes, find its groups, count the rows of each table. */
#ifndef MIDI_COUNT_H
#define MIDI_COUNT_H
#include "_midi_events.h"

/* A program in use on a channel: its group, or NONE as yet, and the rows seen of each kind. */
typedef struct {
    int32_t group;
    uint32_t rows[KINDS];
} Use;

/* What a channel has seen in the MIDI track at hand, while counting. */
typedef struct {
    int32_t program, msb, lsb, bank;
    int32_t n_seen;
    uint8_t seen[128], is_seen[128]; /* the programs in use, and whether a program is among them */
    Use use[128];                    /* by program; valid for those in use */
    uint32_t open[128];              /* by pitch: notes not closed yet */
} Count;

typedef struct {
    uint32_t used;                /* bit mask of the channels seen in this MIDI track */
    int32_t midi_track;
    Count *last;                  /* the channel of the last message: nearly always that of the next one */
    int last_channel;
    Count channel[16];
} Survey;

static void choose_program(Count *c, uint8_t program)
{
    c->program = program;
    if (c->is_seen[program]) return;
    c->is_seen[program] = 1;
    c->seen[c->n_seen++] = program;
    c->use[program] = (Use){.group = NONE};
}

static Count *enter(Survey *s, int channel)
{
    Count *c = &s->channel[channel];
    if (!(s->used >> channel & 1)) {
        s->used |= 1u << channel;
        c->n_seen = 0;
        memset(c->is_seen, 0, sizeof c->is_seen);
        memset(c->open, 0, sizeof c->open);
        c->msb = c->lsb = c->bank = NONE;
        choose_program(c, 0);
    }
    return c;
}

static int make_group(Parse *p, const Survey *s, Count *c)
{
    if (p->n_groups == p->group_room) {
        size_t room = p->group_room ? 2 * p->group_room : 32;
        Group *grown = realloc(p->groups, room * sizeof(Group));
        if (!grown) return NO_MEMORY;
        p->groups = grown;
        p->group_room = room;
    }
    c->use[c->program].group = (int32_t)p->n_groups;
    p->groups[p->n_groups++] = (Group){.midi_track = s->midi_track, .channel = (int32_t)(c - s->channel),
                                       .program = c->program, .bank = c->bank};
    return FINE;
}

/* Returns the place of the next event in the list of all, NULL without memory. */
static Event *next_event(Parse *p)
{
    if (p->n_events == p->event_room) {
        size_t room = 2 * p->event_room + 1024;
        Event *grown = realloc(p->events, room * sizeof(Event));
        if (!grown) return NULL;
        p->events = grown;
        p->event_room = room;
    }
    return &p->events[p->n_events];
}

/* Make a group for a channel and its program, unless there is one. */
static inline int need_group(Parse *p, const Survey *s, Count *c)
{
    return c->use[c->program].group < 0 ? make_group(p, s, c) : FINE;
}

static int count_note_off(Parse *p, const Survey *s, Count *c, const Event *e)
{
    uint32_t *open = &c->open[e->first];
    if (!*open) {
        c->use[c->program].rows[NOTE_OFFS]++;
        return FINE;
    }
    uint32_t closed = p->mode == ALL ? *open : 1;
    *open -= closed;
    c->use[c->program].rows[NOTES] += closed;
    return need_group(p, s, c);
}

static int count_control(Parse *p, const Survey *s, Count *c, const Event *e)
{
    if (e->first == 0) c->msb = e->second;
    if (e->first == 32) c->lsb = e->second;
    c->use[c->program].rows[CONTROLS]++;
    return need_group(p, s, c);
}

static void count_program(Count *c, const Event *e)
{
    choose_program(c, e->first);
    c->use[c->program].rows[PROGRAMS]++;
    if (c->msb >= 0 || c->lsb >= 0)
        c->bank = (c->msb < 0 ? 0 : c->msb) * 128 + (c->lsb < 0 ? 0 : c->lsb);
}

static int count_channel_message(Parse *p, Survey *s, const Event *e)
{
    if ((e->status & 0x0F) != s->last_channel) s->last = enter(s, s->last_channel = e->status & 0x0F);
    Count *c = s->last;
    int kind = e->status >> 4;
    if (kind == 0x9 && e->second) c->open[e->first]++;
    else if (kind == 0x8 || kind == 0x9) return count_note_off(p, s, c, e);
    else if (kind == 0xB) return count_control(p, s, c, e);
    else if (kind == 0xC) count_program(c, e);
    else c->use[c->program].rows[kind == 0xE ? BENDS : AFTERTOUCHES]++;
    return FINE;
}

static int32_t first_group_of(const Parse *p, const Span *span, int channel)
{
    for (uint32_t g = span->first_group; g < span->first_group + span->groups; g++)
        if (p->groups[g].channel == channel) return (int32_t)g;
    return NONE;
}

/* At the end of a MIDI track: give open notes their groups, and all other rows theirs. */
static int settle(Parse *p, Survey *s, Span *span)
{
    for (int channel = 0; channel < 16; channel++) {
        Count *c = &s->channel[channel];
        for (int pitch = 0; s->used >> channel & 1 && pitch < 128; pitch++) {
            if (!c->open[pitch]) continue;
            if (need_group(p, s, c)) return NO_MEMORY;
            c->use[c->program].rows[NOTES] += c->open[pitch];
        }
    }
    span->groups = (uint32_t)p->n_groups - span->first_group;
    for (int channel = 0; channel < 16; channel++) {
        if (!(s->used >> channel & 1)) continue;
        Count *c = &s->channel[channel];
        int32_t first = first_group_of(p, span, channel);
        for (int i = 0; i < c->n_seen; i++) {
            const Use *use = &c->use[c->seen[i]];
            int32_t home = use->group < 0 ? first : use->group;
            for (int kind = 0; kind < KINDS; kind++) { /* notes and controls have a group of their own */
                if (home < 0) p->rows[MESSAGES] += use->rows[kind];
                else p->groups[home].start[kind] += (int32_t)use->rows[kind];
            }
        }
    }
    return FINE;
}

static int count_track(Parse *p, Survey *s, Span *span, int32_t midi_track, size_t *fault_at)
{
    Cursor c = {p->data, span->begin, span->end, 0};
    Event *e = NULL;
    int32_t order = 0, ends = 0;
    int fault = FINE;
    s->used = 0;
    s->last_channel = NONE;
    s->midi_track = midi_track;
    span->first_group = (uint32_t)p->n_groups;
    span->implied_end = NONE;
    span->first_event = p->n_events;
    for (; c.at < c.end && !fault; order++) {
        size_t start = c.at;
        e = next_event(p);
        if (!e) return NO_MEMORY;
        fault = read_event(&c, e);
        if (fault) {
            *fault_at = c.at;
            span->end = (uint32_t)start;
            break;
        }
        p->n_events++;
        if (e->status < 0xF0) {
            if (count_channel_message(p, s, e)) return NO_MEMORY;
        } else {
            ends += e->status == 0xFF && e->type == 0x2F;
            p->rows[tempo_of(p, e) ? TEMPOS : MESSAGES]++;
        }
    }
    span->events = p->n_events - span->first_event;
    if (span->end == span->begin) { /* nothing to read: kept as a bare end-of-track message */
        p->rows[MESSAGES]++;
    } else if (!fault && ends == 1 && order > 1 && e->status == 0xFF && e->type == 0x2F && !e->length && !e->delta) {
        span->implied_end = order - 1;
        p->rows[MESSAGES]--;
    }
    return settle(p, s, span) ? NO_MEMORY : fault;
}

static int count(Parse *p)
{
    Survey *s = malloc(sizeof *s);
    p->faults = malloc((p->n_spans ? p->n_spans : 1) * sizeof(Fault));
    if (!s || !p->faults) {
        free(s);
        return NO_MEMORY;
    }
    int fault = FINE;
    for (size_t i = 0; i < p->n_spans; i++) p->event_room += (p->spans[i].end - p->spans[i].begin) / 4 + 1;
    p->events = malloc((p->event_room + 1) * sizeof(Event)); /* what most files need; next_event makes more */
    if (!p->events) fault = NO_MEMORY;
    for (size_t i = 0; !fault && i < p->n_spans; i++) {
        size_t at = p->spans[i].begin;
        fault = count_track(p, s, &p->spans[i], (int32_t)i, &at);
        if (!fault) continue;
        if (fault == NO_MEMORY) break;
        p->faults[p->n_faults++] = (Fault){fault, (int32_t)i, (uint32_t)at};
        if (!p->tolerant) break;
        fault = FINE;
    }
    free(s);
    if (fault) return fault;
    for (size_t g = 0; g < p->n_groups; g++)
        for (int kind = 0; kind < KINDS; kind++) {
            int32_t rows = p->groups[g].start[kind];
            p->groups[g].start[kind] = (int32_t)p->rows[kind];
            p->rows[kind] += (size_t)rows;
        }
    return FINE;
}

#endif
