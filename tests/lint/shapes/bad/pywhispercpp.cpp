// Shape of absadiki/pywhispercpp before PR 72, src/main.cpp: a const char * of whisper.h is written from Python.
PYBIND11_MODULE(_pywhispercpp, m) {
    py::class_<whisper_full_params>(m, "__whisper_full_params__")
        .def_readwrite("n_threads", &whisper_full_params::n_threads)
        .def_readwrite("language", &whisper_full_params::language) // FOUND: char-pointer-exposed
        .def_readwrite("initial_prompt", &whisper_full_params::initial_prompt); // FOUND: char-pointer-exposed
}
struct own_params {
    const char *model;
    int threads;
};
void own(py::module_ &m) {
    py::class_<own_params>(m, "own").def_readwrite("threads", &own_params::threads).def_readwrite("model", &own_params::model); // FOUND: char-pointer-exposed
}
