// Pointers that outlive their block, after ggml-org/llama.cpp PR 17048.
void arguments(const std::vector<option> &options) {
    std::vector<const char *> argv;
    for (const auto &option : options) {
        std::string text = option.render();
        argv.push_back(text.c_str()); // FOUND: pointer-outlives-block
    }
    run(argv.size(), argv.data());
}
void vector(bool upsample) {
    const float *samples = nullptr;
    if (upsample) {
        std::vector<float> twice(1024);
        samples = twice.data(); // FOUND: pointer-outlives-block
    } else {
        samples = original();
    }
    run(samples);
}
