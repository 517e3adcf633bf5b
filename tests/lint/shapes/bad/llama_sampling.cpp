// Shape of ggml-org/llama.cpp before PR 17048, src/llama-sampling.cpp: the address of a pointer into a string of the block.
llama_sampler *init(const char **trigger_words, size_t count, const char **trigger_patterns, size_t num_trigger_patterns) {
    if (trigger_words != nullptr && count > 0) {
        std::string trigger_pattern("[\\s\\S]*?(");
        for (size_t i = 0; i < count; ++i) {
            trigger_pattern += trigger_words[i];
        }
        const auto *trigger_pattern_c = trigger_pattern.c_str();
        trigger_patterns = &trigger_pattern_c; // FOUND: pointer-outlives-block
        num_trigger_patterns = 1;
    }
    return make(trigger_patterns, num_trigger_patterns);
}
