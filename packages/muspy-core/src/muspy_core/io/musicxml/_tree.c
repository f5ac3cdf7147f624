/* XML documents as trees of elements: the compiled stand-in for lxml in reading scores (see tree.py).
 *
 * `parse` scans the bytes (_tree_scan.h) and returns the root, or None for what it declines; then lxml reads the file.
 * An Element is a view of one node; it offers the part of ElementTree's interface that the reader uses. `steps` walks
 * through a part as tree.py does in Python: it collects what stands in a note while it passes.
 */
#ifndef NO_PYTHON
#define Py_LIMITED_API 0x030A0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#endif
#include "_tree_roles.h"

#define ABI 1 /* raise it whenever an interface changes; tree.py has the same constant */

/* --- Python ----------------------------------------------------------------------------------------------------- */
#ifndef NO_PYTHON

enum { KEPT_TEXTS = 256, KEPT_LENGTH = 12 };

typedef struct {
    PyObject_HEAD
    Scan scan;
    PyObject *document;
    PyObject *names[MAX_NAMES];
    PyObject *texts[KEPT_TEXTS]; /* short texts, of which few occur again and again */
    uint8_t role_of[MAX_NAMES];
} Tree;

typedef struct {
    PyObject_HEAD
    Tree *tree;
    uint32_t node;
} Element;

typedef struct {
    PyObject_HEAD
    Tree *tree;
    uint32_t node, end;
} Steps;

static PyTypeObject *tree_type, *element_type, *steps_type;

static PyObject *new_string(const Scan *s, Text text)
{
    return PyUnicode_DecodeUTF8(text.length ? (const char *)bytes_of(s, text) : "", (Py_ssize_t)text.length, NULL);
}

static PyObject *string_of(Tree *tree, Text text)
{
    if (text.length > KEPT_LENGTH || !text.length) return new_string(&tree->scan, text);
    const uint8_t *bytes = bytes_of(&tree->scan, text);
    uint32_t hash = text.length;
    for (uint32_t i = 0; i < text.length; i++) hash = hash * 31 + bytes[i];
    PyObject **place = &tree->texts[(hash ^ hash >> 8) % KEPT_TEXTS];
    if (*place) {
        Py_ssize_t length;
        const char *known = PyUnicode_AsUTF8AndSize(*place, &length);
        if (!known) return NULL;
        if ((size_t)length == text.length && !memcmp(known, bytes, text.length)) return Py_NewRef(*place);
    }
    PyObject *made = new_string(&tree->scan, text);
    if (!made) return NULL;
    Py_XDECREF(*place);
    *place = Py_NewRef(made);
    return made;
}

static PyObject *optional_string(Tree *tree, const Text *text)
{
    return text ? string_of(tree, *text) : Py_NewRef(Py_None);
}

static void tree_dealloc(PyObject *self)
{
    Tree *tree = (Tree *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (uint32_t i = 0; i < tree->scan.n_names; i++) Py_XDECREF(tree->names[i]);
    for (size_t i = 0; i < KEPT_TEXTS; i++) Py_XDECREF(tree->texts[i]);
    Py_XDECREF(tree->document);
    release(&tree->scan);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *make_element(Tree *tree, uint32_t node)
{
    Element *element = PyObject_New(Element, element_type);
    if (!element) return NULL;
    element->tree = (Tree *)Py_NewRef((PyObject *)tree);
    element->node = node;
    return (PyObject *)element;
}

/* Also for Steps, which begins as Element does. */
static void view_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF((PyObject *)((Element *)self)->tree);
    PyObject_Free(self);
    Py_DECREF(type);
}

#define SCAN(self) (&((Element *)(self))->tree->scan)
#define NODE(self) (((Element *)(self))->node)

static PyObject *element_tag(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((Element *)self)->tree->names[SCAN(self)->nodes[NODE(self)].name]);
}

static PyObject *element_text(PyObject *self, void *unused)
{
    const Node *node = &SCAN(self)->nodes[NODE(self)];
    (void)unused;
    return optional_string(((Element *)self)->tree, node->has_text ? &node->text : NULL);
}

static PyObject *element_attrib(PyObject *self, void *unused)
{
    Tree *tree = ((Element *)self)->tree;
    const Scan *s = &tree->scan;
    PyObject *made = PyDict_New();
    (void)unused;
    for (uint32_t i = s->nodes[NODE(self)].attributes; made && i < s->nodes[NODE(self) + 1].attributes; i++) {
        PyObject *value = new_string(s, s->attributes[i].value);
        if (!value || PyDict_SetItem(made, tree->names[s->attributes[i].name], value)) Py_CLEAR(made);
        Py_XDECREF(value);
    }
    return made;
}

static PyObject *element_get(PyObject *self, PyObject *args)
{
    const char *name;
    Py_ssize_t length;
    PyObject *otherwise = Py_None;
    if (!PyArg_ParseTuple(args, "s#|O:get", &name, &length, &otherwise)) return NULL;
    const Text *value = value_of(SCAN(self), NODE(self), find_name(SCAN(self), name, (size_t)length));
    return value ? string_of(((Element *)self)->tree, *value) : Py_NewRef(otherwise);
}

static PyObject *element_getparent(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!NODE(self)) Py_RETURN_NONE;
    return make_element(((Element *)self)->tree, SCAN(self)->nodes[NODE(self)].parent);
}

static int append_element(PyObject *list, Tree *tree, uint32_t node)
{
    PyObject *element = make_element(tree, node);
    int failed = !element || PyList_Append(list, element);
    Py_XDECREF(element);
    return failed ? -1 : 0;
}

static int append_children(PyObject *list, Tree *tree, uint32_t node)
{
    const Node *nodes = tree->scan.nodes;
    for (uint32_t child = node + 1; child < nodes[node].end; child = nodes[child].end)
        if (append_element(list, tree, child)) return -1;
    return 0;
}

/* Appends the elements that a path of names ("a/b") leads to, at most `most`. */
static int append_found(PyObject *list, Tree *tree, uint32_t node, const char *path, Py_ssize_t most)
{
    const Node *nodes = tree->scan.nodes;
    const char *slash = strchr(path, '/');
    uint32_t name = find_name(&tree->scan, path, slash ? (size_t)(slash - path) : strlen(path));
    if (name == MAX_NAMES) return 0;
    for (uint32_t child = node + 1; child < nodes[node].end; child = nodes[child].end) {
        if (nodes[child].name != name) continue;
        if (slash ? append_found(list, tree, child, slash + 1, most) : append_element(list, tree, child)) return -1;
        if (PyList_Size(list) >= most) return 0;
    }
    return 0;
}

static PyObject *found_by(PyObject *self, PyObject *path, Py_ssize_t most)
{
    const char *names = PyUnicode_AsUTF8AndSize(path, NULL);
    PyObject *list = names ? PyList_New(0) : NULL;
    if (list && append_found(list, ((Element *)self)->tree, NODE(self), names, most)) Py_CLEAR(list);
    return list;
}

static PyObject *iterator_of(PyObject *list)
{
    PyObject *iterator = list ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    return iterator;
}

static PyObject *element_iterfind(PyObject *self, PyObject *path)
{
    return iterator_of(found_by(self, path, PY_SSIZE_T_MAX));
}

static PyObject *element_find(PyObject *self, PyObject *path)
{
    PyObject *list = found_by(self, path, 1);
    PyObject *found = list ? Py_NewRef(PyList_Size(list) ? PyList_GetItem(list, 0) : Py_None) : NULL;
    Py_XDECREF(list);
    return found;
}

static PyObject *element_findtext(PyObject *self, PyObject *path)
{
    PyObject *found = element_find(self, path);
    if (!found || found == Py_None) return found;
    PyObject *text = element_text(found, NULL);
    Py_DECREF(found);
    if (text != Py_None) return text;
    Py_DECREF(text);
    return PyUnicode_FromString("");
}

static PyObject *element_iter(PyObject *self)
{
    PyObject *list = PyList_New(0);
    if (list && append_children(list, ((Element *)self)->tree, NODE(self))) Py_CLEAR(list);
    return iterator_of(list);
}

static Py_ssize_t element_length(PyObject *self)
{
    const Node *nodes = SCAN(self)->nodes;
    Py_ssize_t length = 0;
    for (uint32_t child = NODE(self) + 1; child < nodes[NODE(self)].end; child = nodes[child].end) length++;
    return length;
}

static PyObject *element_item(PyObject *self, Py_ssize_t index)
{
    const Node *nodes = SCAN(self)->nodes;
    for (uint32_t child = NODE(self) + 1; child < nodes[NODE(self)].end; child = nodes[child].end)
        if (!index--) return make_element(((Element *)self)->tree, child);
    return PyErr_Format(PyExc_IndexError, "an element has no so many children");
}

static PyObject *element_steps(PyObject *self, PyObject *unused)
{
    Steps *steps = PyObject_New(Steps, steps_type);
    (void)unused;
    if (!steps) return NULL;
    steps->tree = (Tree *)Py_NewRef((PyObject *)((Element *)self)->tree);
    steps->node = NODE(self) + 1;
    steps->end = SCAN(self)->nodes[NODE(self)].end;
    return (PyObject *)steps;
}

/* --- notes ------------------------------------------------------------------------------------------------------ */

enum { AN_ELEMENT, FLAGS, FIRST_TEXT, AN_INSTRUMENT = FIRST_TEXT + STAFF - STEP + 1, SOME_NOTATIONS, SOME_LYRICS,
       AN_UNPITCHED, ITEMS };

static int collect(PyObject **place, Tree *tree, uint32_t node, int (*append)(PyObject *, Tree *, uint32_t))
{
    if (!*place) *place = PyList_New(0);
    return *place ? append(*place, tree, node) : -1;
}

/* Puts what a node inside a note says into the items of the note. */
static int take(Tree *tree, uint32_t node, uint8_t role, int *flags, PyObject **items)
{
    const Scan *s = &tree->scan;
    PyObject **place;
    if (role >= STEP && role <= STAFF) {
        place = &items[FIRST_TEXT + role - STEP];
        Py_XDECREF(*place);
        *place = string_of(tree, s->nodes[node].has_text ? s->nodes[node].text : (Text){0});
        return *place ? 0 : -1;
    }
    switch (role) {
    case NOTATIONS: return collect(&items[SOME_NOTATIONS], tree, node, append_children);
    case LYRIC: return collect(&items[SOME_LYRICS], tree, node, append_element);
    case INSTRUMENT:
        place = &items[AN_INSTRUMENT];
        Py_XDECREF(*place);
        *place = optional_string(tree, named_value(s, node, "id"));
        return *place ? 0 : -1;
    case UNPITCHED:
        place = &items[AN_UNPITCHED];
        Py_XDECREF(*place);
        *place = make_element(tree, node);
        return *place ? 0 : -1;
    default: *flags |= flag_of(s, node, role); return 0;
    }
}

/* The next note with all that stands in it, as a tuple, or the next element beside notes. */
static PyObject *steps_next(PyObject *self)
{
    Steps *steps = (Steps *)self;
    Tree *tree = steps->tree;
    const Node *nodes = tree->scan.nodes;
    PyObject *items[ITEMS] = {NULL};
    uint8_t role = OTHER;
    while (steps->node < steps->end && (role = tree->role_of[nodes[steps->node].name]) != NOTE && role != BESIDE)
        steps->node++;
    if (steps->node >= steps->end) return NULL;
    if (role == BESIDE) return make_element(tree, steps->node++);
    int flags = 0, failed = !(items[AN_ELEMENT] = make_element(tree, steps->node++));
    for (; !failed && steps->node < steps->end; steps->node++) {
        role = tree->role_of[nodes[steps->node].name];
        if (role == NOTE || role == BESIDE) break;
        if (role != OTHER) failed = take(tree, steps->node, role, &flags, items);
    }
    if (!failed) failed = !(items[FLAGS] = PyLong_FromLong(flags));
    PyObject *made = failed ? NULL : PyTuple_New(ITEMS);
    for (int i = 0; i < ITEMS; i++) {
        if (made) PyTuple_SetItem(made, i, items[i] ? items[i] : Py_NewRef(Py_None));
        else Py_XDECREF(items[i]);
    }
    return made;
}

/* --- module ----------------------------------------------------------------------------------------------------- */

static int name_strings(Tree *tree)
{
    static const char prefix[] = "xml:";
    for (uint32_t i = 0; i < tree->scan.n_names; i++) {
        Text text = tree->scan.names[i];
        const char *bytes = (const char *)bytes_of(&tree->scan, text);
        if (text.length > strlen(prefix) && !memcmp(bytes, prefix, strlen(prefix))) {
            tree->names[i] = PyUnicode_FromFormat("{http://www.w3.org/XML/1998/namespace}%s",
                                                  bytes[strlen(prefix)] == 'l' ? "lang" : "space");
        } else {
            tree->names[i] = new_string(&tree->scan, text);
            if (tree->names[i]) PyUnicode_InternInPlace(&tree->names[i]);
        }
        if (!tree->names[i]) return -1;
    }
    return 0;
}

static PyObject *parse(PyObject *module, PyObject *document)
{
    char *bytes;
    Py_ssize_t size;
    int verdict;
    (void)module;
    if (PyBytes_AsStringAndSize(document, &bytes, &size)) return NULL;
    Tree *tree = PyObject_New(Tree, tree_type);
    if (!tree) return NULL;
    memset((char *)tree + sizeof(PyObject), 0, sizeof *tree - sizeof(PyObject));
    tree->document = Py_NewRef(document);
    Py_BEGIN_ALLOW_THREADS
    verdict = scan(&tree->scan, (const uint8_t *)bytes, (size_t)size);
    Py_END_ALLOW_THREADS
    PyObject *root = NULL;
    if (verdict == NO_MEMORY) {
        PyErr_NoMemory();
    } else if (verdict == DECLINED) {
        root = Py_NewRef(Py_None);
    } else if (!name_strings(tree)) {
        assign_roles(&tree->scan, tree->role_of);
        root = make_element(tree, 0);
    }
    Py_DECREF((PyObject *)tree);
    return root;
}

static PyGetSetDef element_fields[] = {{"tag", element_tag, NULL, NULL, NULL},
                                       {"text", element_text, NULL, NULL, NULL},
                                       {"attrib", element_attrib, NULL, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef element_methods[] = {{"get", element_get, METH_VARARGS, NULL},
                                        {"getparent", element_getparent, METH_NOARGS, NULL},
                                        {"find", element_find, METH_O, NULL},
                                        {"findtext", element_findtext, METH_O, NULL},
                                        {"iterfind", element_iterfind, METH_O, NULL},
                                        {"steps", element_steps, METH_NOARGS, NULL},
                                        {NULL, NULL, 0, NULL}};
static PyType_Slot tree_slots[] = {{Py_tp_dealloc, (void *)tree_dealloc}, {0, NULL}};
static PyType_Slot element_slots[] = {{Py_tp_dealloc, (void *)view_dealloc}, {Py_tp_getset, element_fields},
                                      {Py_tp_methods, element_methods}, {Py_tp_iter, (void *)element_iter},
                                      {Py_sq_length, (void *)element_length}, {Py_sq_item, (void *)element_item},
                                      {0, NULL}};
static PyType_Slot steps_slots[] = {{Py_tp_dealloc, (void *)view_dealloc}, {Py_tp_iter, (void *)PyObject_SelfIter},
                                    {Py_tp_iternext, (void *)steps_next}, {0, NULL}};

#define TYPE(name, size, slots)                                                                                        \
    {"muspy_core.io.musicxml._tree." name, (int)(size), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots}
static PyType_Spec tree_spec = TYPE("Tree", sizeof(Tree), tree_slots);
static PyType_Spec element_spec = TYPE("Element", sizeof(Element), element_slots);
static PyType_Spec steps_spec = TYPE("Steps", sizeof(Steps), steps_slots);

static PyMethodDef methods[] = {
    {"parse", parse, METH_O, "parse(document: bytes) -> the root Element, or None for lxml to decide, see tree.py"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "muspy_core.io.musicxml._tree", "XML as trees of elements.",
                                    0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__tree(void)
{
    PyObject *made = PyModule_Create(&module);
    if (!made) return NULL;
    tree_type = (PyTypeObject *)PyType_FromSpec(&tree_spec);
    element_type = (PyTypeObject *)PyType_FromSpec(&element_spec);
    steps_type = (PyTypeObject *)PyType_FromSpec(&steps_spec);
    if (!tree_type || !element_type || !steps_type || PyModule_AddIntConstant(made, "ABI", ABI)) Py_CLEAR(made);
    return made;
}
#endif
