/* The tables that _midi.c makes, and what is known of the file while it makes them; midi_tables.py has the same rows. */
#ifndef MIDI_TABLES_H
#define MIDI_TABLES_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NOTES, CONTROLS, BENDS, AFTERTOUCHES, PROGRAMS, NOTE_OFFS, KINDS }; /* tables divided by group */
enum { GROUPS = KINDS, TEMPOS, MESSAGES, FAULTS, TABLES };
enum { FIFO, LIFO, ALL };                          /* which open notes a note-off closes */
enum { UNSTATED, BY_NOTE_OFF, BY_NOTE_ON, OPEN };  /* how a note ends */
enum { FINE, CUT_MESSAGE, LONG_NUMBER, HIGH_DATA_BYTE, NO_RUNNING_STATUS, UNDEFINED_STATUS, BAD_SPAN, NO_MEMORY };

#define NONE (-1)

#pragma pack(push, 1)
typedef struct {
    int64_t time;
    int16_t pitch;
    int64_t duration;
    int16_t velocity, off_velocity, voice, staff, channel;
    uint8_t off_kind, tie, grace, cue;
    int32_t order, off_order;
} Note;
typedef struct { int64_t time; int16_t first, second; int32_t order; } Pair; /* control changes, aftertouches */
typedef struct { int64_t time; int16_t value; int32_t order; } Single;       /* bends, program changes */
typedef struct { int64_t time; int16_t pitch, velocity; uint8_t off_kind; int32_t order; } NoteOff;
typedef struct { int64_t time; uint32_t microseconds; int32_t midi_track, order; } TempoRow;
typedef struct { int64_t time; uint32_t offset, length; int32_t midi_track, order; uint8_t status, type; } Message;
typedef struct { int32_t midi_track, channel, program, bank, off_kind, off_velocity, start[KINDS]; } Group;
typedef struct { int32_t code, midi_track; uint32_t offset; } Fault;
#pragma pack(pop)

static const size_t row_sizes[TABLES] = {
    sizeof(Note), sizeof(Pair), sizeof(Single), sizeof(Pair), sizeof(Single), sizeof(NoteOff),
    sizeof(Group), sizeof(TempoRow), sizeof(Message), sizeof(Fault)};

typedef struct {
    uint8_t status, first, second, type; /* type: of a meta event */
    uint32_t offset, length;             /* of the bytes after status, type and length field */
    uint32_t delta;                      /* ticks since the event before */
} Event;

typedef struct {
    uint32_t begin, end;          /* the body, up to the first fault */
    uint32_t first_group, groups;
    size_t first_event, events;
    int32_t implied_end;          /* order of the end-of-track message that goes without saying, or NONE */
} Span;

typedef struct {
    const uint8_t *data;
    Span *spans;
    size_t n_spans, n_groups, group_room, n_faults;
    Group *groups;                /* in the first pass `start` counts rows */
    Fault *faults;
    Event *events;                /* what the first pass read, for the second one */
    size_t n_events, event_room;
    size_t rows[TABLES];
    unsigned char *table[TABLES];
    int mode, tolerant;
} Parse;

#endif
