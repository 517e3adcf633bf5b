// Allocations without their free, after whisper.cpp PR 3000 (strdup in a binding) and JNI's GetStringUTFChars.
void kept(const std::string &lang) {
    whisper_full_params params = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    params.language = strdup(lang.c_str()); // FOUND: allocation-not-freed
    g_worker = std::thread([params]() { whisper_full(g_context, params); });
}
int early(const char *given) {
    char *copy = new char[strlen(given) + 1]; // FOUND: allocation-not-freed
    strcpy(copy, given);
    if (copy[0] == '\0') {
        return -1;
    }
    int found = lookup(std::string(copy));
    delete[] copy;
    return found;
}
JNIEXPORT jint JNICALL Java_Whisper_load(JNIEnv *env, jobject, jstring path) {
    const char *chars = env->GetStringUTFChars(path, nullptr); // FOUND: allocation-not-freed
    return whisper_load(chars);
}
void emscripten_string() {
    char *name = stringToNewUTF8(given); // FOUND: allocation-not-freed
    printf("%s\n", name);
}
