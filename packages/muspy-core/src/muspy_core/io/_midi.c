/* Bodies of MIDI tracks -> tables of events: the compiled backend of midi.py; _midi_twin.py gives the same tables.
 *
 * The file's frame (header, chunks) is read in Python. `parse` gets the spans of the track bodies, makes events of
 * them and counts, goes through the events to fill tables of exactly that size, and returns byte arrays whose
 * rows are the structured dtypes of columns.py, so that Python only makes views. Every byte is read through `Cursor`
 * (_midi_events.h), which knows where its track ends. _midi_count.h is the first pass, _midi_fill.h the second.
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
#include "_midi_fill.h"

#define ABI 1 /* raise it whenever a table or an argument changes; midi_tables.py has the same constant */

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
    free(p->events);
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
