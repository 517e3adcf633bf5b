// The pointer is not used after its block, or has another value by then.
void replaced(bool given) {
    params_t params = defaults();
    if (given) {
        std::string text = ask();
        params.language = text.c_str();
        run(params);
        params.language = nullptr;
    }
    run(params);
}
void otherwise(bool given) {
    const char *language;
    if (given) {
        std::string text = ask();
        language = text.c_str();
        run(language);
    } else {
        language = "en";
        run(language);
    }
    language = "de";
    run(language);
}
int left(bool given) {
    params_t params = defaults();
    if (given) {
        std::string text = ask();
        params.language = text.c_str();
        return run(params);
    }
    return run(params);
}
void other_members(bool given) {
    params_t params = defaults();
    if (given) {
        std::string text = ask();
        params.language = text.c_str();
        run(params);
    }
    print(params.threads);
}
const char *kept_for_good() {
    static std::string text = ask();
    return text.c_str();
}
const char *of_the_caller(const std::string &text) {
    return text.c_str();
}
