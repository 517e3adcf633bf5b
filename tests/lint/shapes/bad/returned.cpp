// What a function returns, after JacobLinCool/smart-whisper d49608c.
const char *direct() {
    std::string text = ask();
    return text.c_str(); // FOUND: pointer-returned
}
std::string_view view(std::string text) {
    return text.data(); // FOUND: pointer-returned
}
const char *through_a_variable() {
    std::string text = ask();
    const char *result = text.c_str(); // FOUND: pointer-returned
    return result;
}
