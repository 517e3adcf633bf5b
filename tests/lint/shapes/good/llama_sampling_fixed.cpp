// Shape of ggml-org/llama.cpp PR 17048: the string is declared before the block.
llama_sampler *init(const char **words, size_t count, const char **patterns, size_t num_patterns) {
    std::string trigger_pattern;
    const char *trigger_pattern_c = nullptr;
    if (words != nullptr && count > 0) {
        trigger_pattern = "(";
        trigger_pattern_c = trigger_pattern.c_str();
        patterns = &trigger_pattern_c;
        num_patterns = 1;
    }
    return make(patterns, num_patterns);
}
