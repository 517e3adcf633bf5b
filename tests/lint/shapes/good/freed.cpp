// Memory that is freed on every path, or that somebody else is to free.
int every_path(const char *given) {
    char *copy = strdup(given);
    if (copy == nullptr) {
        return -2;
    }
    if (copy[0] == '\0') {
        free(copy);
        return -1;
    }
    int length = strlen(copy);
    free(copy);
    return length;
}
char *for_the_caller(const std::string &text) {
    char *copy = new char[text.size() + 1];
    memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}
void owned(size_t size) {
    char *raw = static_cast<char *>(malloc(size));
    std::unique_ptr<char, decltype(&free)> guard(raw, free);
    take(guard.get());
}
void given_away(size_t size) {
    char *raw = new char[size];
    registry.adopt(raw);
    this->buffer = new char[size];
}
JNIEXPORT jint JNICALL Java_Whisper_load(JNIEnv *env, jobject, jstring path) {
    const char *chars = env->GetStringUTFChars(path, nullptr);
    jint result = whisper_load(chars);
    env->ReleaseStringUTFChars(path, chars);
    return result;
}
std::string java_string(JNIEnv *env, jstring value) {
    const char *chars = env->GetStringUTFChars(value, nullptr);
    std::string copy = chars ? std::string(chars) : std::string();
    if (chars) {
        env->ReleaseStringUTFChars(value, chars);
    }
    return copy;
}
void collected(std::vector<device> &devices) {
    device found = {};
    found.name = strdup(ask());
    devices.push_back(found);
    context *own = malloc(sizeof(context));
    *devices.back() = (device) { own };
    char *border = new char[4];
    this->filter = reinterpret_cast<filter *>(new morph{1, border});
}
