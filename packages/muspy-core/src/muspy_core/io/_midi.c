/* Bodies of MIDI tracks -> tables of events: the compiled backend of midi.py; _midi_twin.py gives the same tables.
 *
 * The file's frame (header, chunks) is read in Python. `parse` gets the spans of the track bodies, goes through them
 * twice (the first pass checks and counts, the second fills tables of exactly that size), and returns byte arrays whose
 * rows are the structured dtypes of columns.py, so that Python only makes views. Every byte is read through `Cursor`,
 * which knows where its track ends.
 *
 * A group is what becomes one Track: the notes and controls of one MIDI track, channel and program. It is made by its
 * first closing note or control change, as in MusPy. Groups are numbered in that order; each table holds the rows of
 * group 0, then of group 1, and so on.
 */
#ifndef NO_PYTHON
#define Py_LIMITED_API 0x030A0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ABI 1 /* raise it whenever a table or an argument changes; _midi_twin.py has the same constant */

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
    uint32_t begin, end;          /* the body, up to the first fault */
    uint32_t first_group, groups;
    int32_t implied_end;          /* order of the end-of-track message that goes without saying, or NONE */
} Span;

typedef struct {
    const uint8_t *data;
    Span *spans;
    size_t n_spans, n_groups, group_room, n_faults;
    Group *groups;                /* in the first pass `start` counts rows */
    Fault *faults;
    size_t rows[TABLES];
    unsigned char *table[TABLES];
    int mode, tolerant;
} Parse;

typedef struct {
    const uint8_t *data;
    size_t at, end;
    int64_t tick;
    uint8_t running;
} Cursor;

typedef struct {
    uint8_t status, first, second, type; /* type: of a meta event */
    uint32_t offset, length;             /* of the bytes after status, type and length field */
} Event;

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
    Count channel[16];
} Survey;

/* --- reading one event ---------------------------------------------------------------------------------------- */

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
    uint32_t delta;
    int fault = read_number(c, &delta);
    if (fault) return fault;
    if (c->at >= c->end) return CUT_MESSAGE;
    uint8_t byte = c->data[c->at];
    c->tick += delta;
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
                c->tick += delta;
                c->running = e->status = status;
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

/* --- first pass: check and count ------------------------------------------------------------------------------ */

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
    Count *c = enter(s, e->status & 0x0F);
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
    Cursor c = {p->data, span->begin, span->end, 0, 0};
    Event e = {0};
    int32_t order = 0, ends = 0;
    int64_t before = 0;
    int fault = FINE;
    s->used = 0;
    s->midi_track = midi_track;
    span->first_group = (uint32_t)p->n_groups;
    span->implied_end = NONE;
    for (; c.at < c.end && !fault; order++) {
        size_t start = c.at;
        before = c.tick;
        fault = read_event(&c, &e);
        if (fault) {
            *fault_at = c.at;
            span->end = (uint32_t)start;
        } else if (e.status < 0xF0) {
            if (count_channel_message(p, s, &e)) return NO_MEMORY;
        } else {
            ends += e.status == 0xFF && e.type == 0x2F;
            p->rows[tempo_of(p, &e) ? TEMPOS : MESSAGES]++;
        }
    }
    if (span->end == span->begin) { /* nothing to read: kept as a bare end-of-track message */
        p->rows[MESSAGES]++;
    } else if (!fault && ends == 1 && order > 1 && e.status == 0xFF && e.type == 0x2F && !e.length
               && c.tick == before) {
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
    for (size_t i = 0; i < p->n_spans; i++) {
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

/* --- second pass: fill ---------------------------------------------------------------------------------------- */

/* What a channel has seen in the MIDI track at hand, while filling. */
typedef struct {
    int32_t program;
    int32_t group_of[128], home[128]; /* by program */
    int32_t head[128], tail[128];     /* by pitch: open notes, linked through off_order */
} Sounding;

typedef struct {
    Parse *p;
    const Span *span;
    uint32_t used;
    int32_t midi_track, order, n_notes;
    int64_t tick;
    Note *notes; /* those of this MIDI track, in the order of their onsets until they are grouped */
    Group *next; /* by group: the row to fill next */
    Sounding channel[16];
} Filler;

/* For each program of a channel, the group that takes rows of it: its own, else the channel's first; NONE on a channel
 * that carries neither notes nor controls. */
static void find_homes(const Parse *p, const Span *span, int channel, Sounding *c)
{
    int32_t first = first_group_of(p, span, channel);
    memset(c->group_of, 0xFF, sizeof c->group_of);
    for (int program = 0; program < 128; program++) c->home[program] = first;
    for (uint32_t g = span->first_group; g < span->first_group + span->groups; g++)
        if (p->groups[g].channel == channel)
            c->group_of[p->groups[g].program] = c->home[p->groups[g].program] = (int32_t)g;
}

static Sounding *sounding(Filler *f, int channel)
{
    Sounding *c = &f->channel[channel];
    if (!(f->used >> channel & 1)) {
        f->used |= 1u << channel;
        c->program = 0;
        memset(c->head, 0xFF, sizeof c->head);
        find_homes(f->p, f->span, channel, c);
    }
    return c;
}

static void *row(Parse *p, int table, int32_t i)
{
    return p->table[table] + (size_t)i * row_sizes[table];
}

static void add_message(Filler *f, const Event *e)
{
    Message *m = row(f->p, MESSAGES, (int32_t)f->p->rows[MESSAGES]++);
    *m = (Message){f->tick, e->offset, e->length, f->midi_track, f->order, e->status, e->type};
}

/* The next row of the table that takes a channel's messages, or NULL (and a message instead) without such a table. */
static void *add_row(Filler *f, const Sounding *c, int kind, const Event *e)
{
    int32_t group = c->home[c->program];
    if (group >= 0) return row(f->p, kind, f->next[group].start[kind]++);
    add_message(f, e);
    return NULL;
}

static void open_note(Filler *f, Sounding *c, const Event *e)
{
    int32_t i = f->n_notes++, *head = &c->head[e->first];
    f->notes[i] = (Note){.time = f->tick, .pitch = e->first, .velocity = e->second, .off_velocity = NONE,
                         .voice = NONE, .staff = NONE, .channel = NONE, .order = f->order, .off_order = NONE};
    if (f->p->mode == LIFO) {
        f->notes[i].off_order = *head;
        *head = i;
    } else {
        if (*head < 0) *head = i;
        else f->notes[c->tail[e->first]].off_order = i;
        c->tail[e->first] = i;
    }
}

/* Close the first note in the list of a pitch. Where the MIDI track has several groups, the note's group waits in
 * `channel` until the notes are grouped. */
static void close_note(Filler *f, Sounding *c, int pitch, uint8_t off_kind, int16_t off_velocity, int32_t off_order)
{
    Note *note = &f->notes[c->head[pitch]];
    c->head[pitch] = note->off_order;
    note->duration = f->tick - note->time;
    note->off_kind = off_kind;
    note->off_velocity = off_velocity;
    note->off_order = off_order;
    if (f->span->groups > 1) note->channel = (int16_t)(c->group_of[c->program] - (int32_t)f->span->first_group);
}

static void fill_note_off(Filler *f, Sounding *c, const Event *e)
{
    int by_note_off = e->status < 0x90;
    uint8_t off_kind = by_note_off ? BY_NOTE_OFF : BY_NOTE_ON;
    if (c->head[e->first] < 0) {
        NoteOff *r = add_row(f, c, NOTE_OFFS, e);
        if (r) *r = (NoteOff){f->tick, e->first, e->second, off_kind, f->order};
        return;
    }
    do {
        close_note(f, c, e->first, off_kind, by_note_off ? e->second : NONE, f->order);
    } while (f->p->mode == ALL && c->head[e->first] >= 0);
}

static void fill_channel_message(Filler *f, const Event *e)
{
    Sounding *c = sounding(f, e->status & 0x0F);
    int kind = e->status >> 4;
    if (kind == 0x9 && e->second) {
        open_note(f, c, e);
    } else if (kind == 0x8 || kind == 0x9) {
        fill_note_off(f, c, e);
    } else if (kind == 0xB) {
        Pair *r = add_row(f, c, CONTROLS, e);
        if (r) *r = (Pair){f->tick, e->first, e->second, f->order};
    } else if (kind == 0xC) {
        c->program = e->first;
        Single *r = add_row(f, c, PROGRAMS, e);
        if (r) *r = (Single){f->tick, c->group_of[c->program] < 0 ? e->first : NONE, f->order};
    } else if (kind == 0xE) {
        Single *r = add_row(f, c, BENDS, e);
        if (r) *r = (Single){f->tick, (int16_t)((e->second << 7 | e->first) - 8192), f->order};
    } else { /* aftertouch (value, pitch): A of a key, D of the channel */
        Pair *r = add_row(f, c, AFTERTOUCHES, e);
        if (r) *r = (Pair){f->tick, kind == 0xA ? e->second : e->first, kind == 0xA ? e->first : NONE, f->order};
    }
}

/* Move the notes of a MIDI track to the places of their groups, each group keeping the order of onsets. */
static void group_notes(Filler *f)
{
    Note *notes = f->notes;
    Group *next = f->next + f->span->first_group;
    int32_t base = f->p->groups[f->span->first_group].start[NOTES];
    for (int32_t i = 0; i < f->n_notes; i++) { /* the place waits in voice and staff */
        int32_t place = next[notes[i].channel].start[NOTES]++ - base;
        memcpy(&notes[i].voice, &place, sizeof place);
    }
    for (int32_t i = 0; i < f->n_notes; i++) {
        int32_t place;
        while (memcpy(&place, &notes[i].voice, sizeof place), place != i) {
            Note moved = notes[i];
            notes[i] = notes[place];
            notes[place] = moved;
        }
    }
    for (int32_t i = 0; i < f->n_notes; i++) notes[i].voice = notes[i].staff = notes[i].channel = NONE;
}

static int precedes(const Note *a, const Note *b)
{
    if (a->pitch != b->pitch) return a->pitch < b->pitch;
    if (a->duration != b->duration) return a->duration < b->duration;
    if (a->velocity != b->velocity) return a->velocity < b->velocity;
    return a->order < b->order;
}

static void sift(Note *notes, int32_t root, int32_t n)
{
    for (int32_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && precedes(&notes[child], &notes[child + 1])) child++;
        if (!precedes(&notes[root], &notes[child])) return;
        Note moved = notes[root];
        notes[root] = notes[child];
        notes[child] = moved;
    }
}

/* Sort simultaneous notes: chords by insertion, anything larger by heap sort, so that no file takes quadratic time. */
static void sort_chord(Note *notes, int32_t n)
{
    if (n <= 16) {
        for (int32_t i = 1; i < n; i++) {
            Note moved = notes[i];
            int32_t j = i;
            for (; j > 0 && precedes(&moved, &notes[j - 1]); j--) notes[j] = notes[j - 1];
            notes[j] = moved;
        }
        return;
    }
    for (int32_t root = n / 2; root-- > 0;) sift(notes, root, n);
    for (int32_t last = n; --last > 0;) {
        Note moved = notes[0];
        notes[0] = notes[last];
        notes[last] = moved;
        sift(notes, 0, last);
    }
}

/* Say once, in the group, how most of its notes end; leave it with the notes that end otherwise. */
static void finish_notes(Group *group, Note *notes, int32_t n)
{
    int usual = BY_NOTE_ON, velocity = 64;
    int32_t alike = n > 0;
    while (alike < n && notes[alike].off_kind == notes->off_kind && notes[alike].off_velocity == notes->off_velocity)
        alike++;
    if (n > 0 && alike == n) { /* nearly always: no need to count */
        usual = notes->off_kind;
        if (usual == BY_NOTE_OFF) velocity = notes->off_velocity;
    } else {
        int32_t kinds[4] = {0}, velocities[128] = {0};
        for (int32_t i = 0; i < n; i++) {
            kinds[notes[i].off_kind]++;
            if (notes[i].off_kind == BY_NOTE_OFF) velocities[notes[i].off_velocity]++;
        }
        if (kinds[BY_NOTE_OFF] > kinds[usual]) usual = BY_NOTE_OFF;
        if (kinds[OPEN] > kinds[usual]) usual = OPEN;
        for (int v = 0; v < 128; v++)
            if (velocities[v] > velocities[velocity]) velocity = v;
    }
    group->off_kind = usual == BY_NOTE_ON ? UNSTATED : usual;
    group->off_velocity = velocity == 64 ? NONE : velocity;
    for (int32_t i = 0; i < n; i++) {
        if (notes[i].off_kind == usual) notes[i].off_kind = UNSTATED;
        if (notes[i].off_velocity == velocity) notes[i].off_velocity = NONE;
    }
}

static void finish_track(Filler *f)
{
    Parse *p = f->p;
    for (int channel = 0; channel < 16; channel++)
        for (int pitch = 0; f->used >> channel & 1 && pitch < 128; pitch++)
            while (f->channel[channel].head[pitch] >= 0)
                close_note(f, &f->channel[channel], pitch, OPEN, NONE, NONE);
    if (!f->span->groups) return;
    uint32_t first = f->span->first_group, last = first + f->span->groups;
    if (f->span->groups > 1) group_notes(f);
    int32_t base = p->groups[first].start[NOTES];
    for (uint32_t g = first; g < last; g++) {
        int32_t begin = p->groups[g].start[NOTES] - base;
        int32_t end = g + 1 < last ? p->groups[g + 1].start[NOTES] - base : f->n_notes;
        for (int32_t i = begin, j; i < end; i = j) {
            for (j = i + 1; j < end && f->notes[j].time == f->notes[i].time; j++) {}
            if (j > i + 1) sort_chord(f->notes + i, j - i);
        }
        finish_notes(&p->groups[g], f->notes + begin, end - begin);
    }
}

static void fill_track(Filler *f, const Span *span, int32_t midi_track)
{
    Parse *p = f->p;
    Cursor c = {p->data, span->begin, span->end, 0, 0};
    Event e = {.status = 0xFF, .type = 0x2F, .offset = span->begin};
    f->span = span;
    f->midi_track = midi_track;
    f->used = 0;
    f->order = f->n_notes = 0;
    f->tick = 0;
    if (c.at == c.end) {
        add_message(f, &e);
        return;
    }
    if (span->groups) f->notes = row(p, NOTES, p->groups[span->first_group].start[NOTES]);
    for (; c.at < c.end && !read_event(&c, &e); f->order++) {
        f->tick = c.tick;
        if (e.status < 0xF0) {
            fill_channel_message(f, &e);
        } else if (tempo_of(p, &e)) {
            TempoRow *t = row(p, TEMPOS, (int32_t)p->rows[TEMPOS]++);
            *t = (TempoRow){f->tick, tempo_of(p, &e), f->midi_track, f->order};
        } else if (f->order != span->implied_end) {
            add_message(f, &e);
        }
    }
    finish_track(f);
}

static int fill(Parse *p)
{
    Filler *f = malloc(sizeof *f);
    Group *next = malloc((p->n_groups + 1) * sizeof(Group));
    int fault = f && next ? FINE : NO_MEMORY;
    if (!fault) {
        if (p->n_groups) memcpy(next, p->groups, p->n_groups * sizeof(Group));
        f->p = p;
        f->next = next;
        p->rows[TEMPOS] = p->rows[MESSAGES] = 0;
        for (size_t i = 0; i < p->n_spans; i++) fill_track(f, &p->spans[i], (int32_t)i);
        if (p->n_groups) memcpy(p->table[GROUPS], p->groups, p->n_groups * sizeof(Group));
        if (p->n_faults) memcpy(p->table[FAULTS], p->faults, p->n_faults * sizeof(Fault));
    }
    free(next);
    free(f);
    return fault;
}

/* Rows of each table, after counting. A strict parse that met a fault gives that fault and nothing else. */
static void size_tables(Parse *p, int fault)
{
    if (fault) {
        memset(p->rows, 0, sizeof p->rows);
        p->n_groups = p->n_spans = 0;
    }
    p->rows[GROUPS] = p->n_groups;
    p->rows[FAULTS] = p->n_faults;
}

static void release(Parse *p)
{
    free(p->spans);
    free(p->groups);
    free(p->faults);
}

/* Spans are given as native uint32 pairs (begin, end). */
static int take_spans(Parse *p, const unsigned char *pairs, size_t n, size_t size)
{
    p->spans = calloc(n + 1, sizeof(Span));
    if (!p->spans) return NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        uint32_t pair[2];
        memcpy(pair, pairs + i * sizeof pair, sizeof pair);
        if (pair[0] > pair[1] || pair[1] > size) return BAD_SPAN;
        p->spans[i].begin = pair[0];
        p->spans[i].end = pair[1];
    }
    p->n_spans = n;
    return FINE;
}

/* --- Python --------------------------------------------------------------------------------------------------- */
#ifndef NO_PYTHON

static PyObject *tables_of(Parse *p, int fault)
{
    PyObject *tables = PyTuple_New(TABLES);
    size_tables(p, fault);
    for (int i = 0; tables && i < TABLES; i++) {
        PyObject *bytes = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(p->rows[i] * row_sizes[i]));
        if (!bytes) {
            Py_CLEAR(tables);
            break;
        }
        p->table[i] = (unsigned char *)PyByteArray_AsString(bytes);
        PyTuple_SetItem(tables, i, bytes);
    }
    if (!tables) return NULL;
    if (fault && p->n_faults) {
        memcpy(p->table[FAULTS], p->faults, p->n_faults * sizeof(Fault));
        return tables;
    }
    Py_BEGIN_ALLOW_THREADS
    fault = fill(p);
    Py_END_ALLOW_THREADS
    if (!fault) return tables;
    Py_DECREF(tables);
    return PyErr_NoMemory();
}

static PyObject *parse(PyObject *module, PyObject *args)
{
    PyObject *data, *spans;
    char *bytes, *pairs;
    Py_ssize_t size, pairs_size;
    Parse p = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "SSip:parse", &data, &spans, &p.mode, &p.tolerant)) return NULL;
    if (PyBytes_AsStringAndSize(data, &bytes, &size) || PyBytes_AsStringAndSize(spans, &pairs, &pairs_size)) return NULL;
    if (size > INT32_MAX) return PyErr_Format(PyExc_ValueError, "at most 2 GiB can be parsed");
    p.data = (const uint8_t *)bytes;
    int fault = take_spans(&p, (const unsigned char *)pairs, (size_t)pairs_size / 8, (size_t)size);
    PyObject *tables = NULL;
    if (fault == BAD_SPAN) {
        PyErr_Format(PyExc_ValueError, "a span lies outside the data");
    } else {
        Py_BEGIN_ALLOW_THREADS
        if (!fault) fault = count(&p);
        Py_END_ALLOW_THREADS
        tables = fault == NO_MEMORY ? PyErr_NoMemory() : tables_of(&p, fault);
    }
    release(&p);
    return tables;
}

static PyMethodDef methods[] = {
    {"parse", parse, METH_VARARGS,
     "parse(data: bytes, spans: bytes, mode: int, tolerant: bool) -> tuple of 10 bytearrays, see midi_tables.py"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "muspy_core.io._midi", "Bodies of MIDI tracks to tables of events.", 0, methods,
    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__midi(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddIntConstant(made, "ABI", ABI)) Py_CLEAR(made);
    return made;
}
#endif
