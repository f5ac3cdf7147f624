/* What the elements of a part mean to the reader of notes; tree.py says the same in Python (used by _tree.c). */
#ifndef TREE_ROLES_H
#define TREE_ROLES_H
#include "_tree_scan.h"

enum { OTHER, BESIDE, NOTE, STEP, ALTER, OCTAVE, DURATION, VOICE, STAFF, NOTATIONS, REST, CHORD, TIE, INSTRUMENT, LYRIC,
       GRACE, CUE, UNPITCHED };
enum { IS_REST = 1, IS_CHORD = 2, IS_CUE = 4, IS_GRACE = 8, HAS_SLASH = 16, STARTS_TIE = 32, STOPS_TIE = 64 };

static const struct { const char *name; uint8_t role; } roles[] = {
    {"note", NOTE}, {"step", STEP}, {"alter", ALTER}, {"octave", OCTAVE}, {"duration", DURATION}, {"voice", VOICE},
    {"staff", STAFF}, {"notations", NOTATIONS}, {"rest", REST}, {"chord", CHORD}, {"tie", TIE},
    {"instrument", INSTRUMENT}, {"lyric", LYRIC}, {"grace", GRACE}, {"cue", CUE}, {"unpitched", UNPITCHED},
    {"measure", BESIDE}, {"backup", BESIDE}, {"forward", BESIDE}, {"attributes", BESIDE}, {"direction", BESIDE},
    {"sound", BESIDE}, {"harmony", BESIDE}, {"barline", BESIDE}, {"figured-bass", BESIDE}};

/* Number of a name, MAX_NAMES if the document does not have it. */
static uint32_t find_name(const Scan *s, const char *name, size_t length)
{
    uint32_t known = s->slots[slot_of(s, (const uint8_t *)name, length)];
    return known ? known - 1 : MAX_NAMES;
}

static void assign_roles(const Scan *s, uint8_t *role_of)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        uint32_t name = find_name(s, roles[i].name, strlen(roles[i].name));
        if (name < MAX_NAMES) role_of[name] = roles[i].role;
    }
}

static const uint8_t *bytes_of(const Scan *s, Text text)
{
    return (text.is_resolved ? s->resolved : s->data) + text.at;
}

/* The value of an attribute of a node, NULL without one. */
static const Text *value_of(const Scan *s, uint32_t node, uint32_t name)
{
    for (uint32_t i = s->nodes[node].attributes; i < s->nodes[node + 1].attributes; i++)
        if (s->attributes[i].name == name) return &s->attributes[i].value;
    return NULL;
}

static const Text *named_value(const Scan *s, uint32_t node, const char *name)
{
    return value_of(s, node, find_name(s, name, strlen(name)));
}

static int says(const Scan *s, const Text *text, const char *word)
{
    return text && text->length == strlen(word) && !memcmp(bytes_of(s, *text), word, text->length);
}

/* What a simple mark adds to the flags of its note. */
static int flag_of(const Scan *s, uint32_t node, uint8_t role)
{
    if (role == REST) return IS_REST;
    if (role == CHORD) return IS_CHORD;
    if (role == CUE) return IS_CUE;
    if (role == GRACE) return says(s, named_value(s, node, "slash"), "yes") ? IS_GRACE | HAS_SLASH : IS_GRACE;
    if (role != TIE) return 0;
    const Text *type = named_value(s, node, "type");
    if (says(s, type, "start")) return STARTS_TIE;
    if (says(s, type, "stop")) return STOPS_TIE;
    return says(s, type, "continue") ? STARTS_TIE | STOPS_TIE : 0;
}
#endif
