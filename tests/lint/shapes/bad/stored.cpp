// A member keeps what a function owns, after whisper.cpp 77e0c86ab^ with the params of the context.
struct params_t {
    const char *language;
};
void Context::configure(std::string language, params_t &given) {
    params_.language = language.c_str(); // FOUND: pointer-stored
    given.language = language.c_str(); // FOUND: pointer-stored
}
