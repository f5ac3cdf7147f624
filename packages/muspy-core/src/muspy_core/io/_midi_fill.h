/* The second pass, over the events: fill the tables, pair the notes, put them in order. */
#ifndef MIDI_FILL_H
#define MIDI_FILL_H
#include "_midi_count.h"

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
    Sounding *last; /* the channel of the last message */
    int last_channel;
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
    if ((e->status & 0x0F) != f->last_channel) f->last = sounding(f, f->last_channel = e->status & 0x0F);
    Sounding *c = f->last;
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

static void heap_sort(Note *notes, int32_t n)
{
    for (int32_t root = n / 2; root-- > 0;) sift(notes, root, n);
    for (int32_t last = n; --last > 0;) {
        Note moved = notes[0];
        notes[0] = notes[last];
        notes[last] = moved;
        sift(notes, 0, last);
    }
}

/* Put notes in order of pitch, in place; ends: where the notes of each pitch end. */
static void divide_by_pitch(Note *notes, int32_t n, int32_t *ends)
{
    int32_t next[128] = {0};
    for (int32_t i = 0; i < n; i++) next[notes[i].pitch]++;
    for (int32_t pitch = 0, at = 0; pitch < 128; pitch++) {
        int32_t count = next[pitch];
        next[pitch] = at;
        ends[pitch] = at += count;
    }
    for (int32_t pitch = 0; pitch < 128; pitch++)
        while (next[pitch] < ends[pitch]) {
            Note *note = &notes[next[pitch]], *target = &notes[next[note->pitch]++];
            Note moved = *note;
            *note = *target;
            *target = moved;
        }
}

/* Sort simultaneous notes: chords by insertion, larger heaps of notes so that no file takes quadratic time. */
static void sort_chord(Note *notes, int32_t n)
{
    int32_t sorted = 1, ends[128];
    while (sorted < n && precedes(&notes[sorted - 1], &notes[sorted])) sorted++;
    if (sorted == n) return;
    if (n <= 16) {
        for (int32_t i = 1; i < n; i++) {
            Note moved = notes[i];
            int32_t j = i;
            for (; j > 0 && precedes(&moved, &notes[j - 1]); j--) notes[j] = notes[j - 1];
            notes[j] = moved;
        }
        return;
    }
    divide_by_pitch(notes, n, ends); /* what is left to sort is smaller and closer together */
    for (int32_t pitch = 0, begin = 0; pitch < 128; begin = ends[pitch++])
        if (ends[pitch] - begin > 1) heap_sort(notes + begin, ends[pitch] - begin);
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
    const Event *e = p->events + span->first_event, *last = e + span->events;
    f->span = span;
    f->midi_track = midi_track;
    f->used = 0;
    f->last_channel = NONE;
    f->order = f->n_notes = 0;
    f->tick = 0;
    if (span->begin == span->end) {
        add_message(f, &(Event){.status = 0xFF, .type = 0x2F, .offset = span->begin});
        return;
    }
    if (span->groups) f->notes = row(p, NOTES, p->groups[span->first_group].start[NOTES]);
    for (; e < last; e++, f->order++) {
        f->tick += e->delta;
        if (e->status < 0xF0) {
            fill_channel_message(f, e);
        } else if (tempo_of(p, e)) {
            TempoRow *t = row(p, TEMPOS, (int32_t)p->rows[TEMPOS]++);
            *t = (TempoRow){f->tick, tempo_of(p, e), f->midi_track, f->order};
        } else if (f->order != span->implied_end) {
            add_message(f, e);
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

#endif
