// Other ways into a thread, after whisper.cpp 77e0c86ab^: a local thread that is detached, async, a pool, a pointer of its own.
void detached(const std::string &lang) {
    params_t params{};
    params.language = (const char *)(lang.c_str()); // FOUND: pointer-into-thread
    std::thread worker(run, params);
    worker.detach();
}
void argument(std::string lang) {
    const char *language = lang.data(); // FOUND: pointer-into-thread
    std::thread(run, language).detach();
}
void through_a_task(std::string lang) {
    params_t params = {.language = lang.c_str()}; // FOUND: pointer-into-thread
    auto task = [params]() { run(params); };
    g_threads.emplace_back(std::move(task));
}
void pool(const std::string &lang) {
    params_t params = defaults();
    params.language = &lang[0]; // FOUND: pointer-into-thread
    auto copy = params;
    g_pool->enqueue([copy]() { run(copy); });
}
void viewed(std::string lang) {
    std::string_view view = lang; // FOUND: pointer-into-thread
    g_future = std::async(std::launch::async, [view]() { run(view); });
}
void by_capture_of_the_member() {
    std::string lang = ask();
    params_t params;
    params.language = lang.c_str(); // FOUND: pointer-into-thread
    g_worker = std::make_unique<std::thread>([language = params.language] { run(language); });
}
void samples(std::vector<float> pcm) {
    job_t job;
    job.samples = pcm.data(); // FOUND: pointer-into-thread
    g_worker = std::thread([job] { run(job); });
}
