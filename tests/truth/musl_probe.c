/* Asks musl's loader about objects, a process each; runs inside a root.
 *
 * It reads one path a line and answers with three strings, each ended by a NUL: the path, what was said, and the status as from
 * waitpid. "probe open" says "ok", "E" and dlerror's text, or "S", a signal's number and the loader's state, which is 0 once the
 * object is loaded and its constructors run. "probe guarded" does the same with unreadable pages where the object would have had
 * neighbours in memory. "probe list LOADER" gives what the loader itself says of the object with --list. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, SECONDS = 60, MOST = 4 << 20 };

extern struct r_debug *_dl_debug_addr;
static int report;

static void tell_signal(int number)
{
	dprintf(report, "S%d %d", number, _dl_debug_addr->r_state);
	_exit(1);
}

static void guard(void)
{
	for (int i = 0; i <= 512; i++)
		mmap(0, i < 512 ? PAGE : PAGE * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void open_object(const char *path)
{
	static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
	static char stack[16 * PAGE];
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_handler = tell_signal, .sa_flags = SA_ONSTACK};

	sigaltstack(&alternative, 0);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		sigaction(deadly[i], &action, 0);
	if (dlopen(path, RTLD_NOW | RTLD_LOCAL))
		write(report, "ok", 2);
	else
		dprintf(report, "E%s", dlerror());
	_exit(0);
}

static void answer(const char *path, char **mode)
{
	static char buffer[16 * PAGE];
	int ends[2], status;
	ssize_t length, total = 0;
	pid_t child;

	pipe(ends);
	child = fork();
	if (!child) {
		close(ends[0]);
		report = ends[1];
		dup2(report, 1);
		dup2(report, 2);
		alarm(SECONDS);
		if (!strcmp(mode[0], "list"))
			execl(mode[1], mode[1], "--list", path, (char *)0);
		if (!strcmp(mode[0], "guarded"))
			guard();
		close(0);
		close(1);
		close(2);
		open_object(path);
	}
	close(ends[1]);
	printf("%s%c", path, 0);
	while ((length = read(ends[0], buffer, sizeof buffer)) > 0) {
		fwrite(buffer, 1, length, stdout);
		total += length;
		if (total > MOST)
			kill(child, SIGKILL);
	}
	close(ends[0]);
	waitpid(child, &status, 0);
	printf("%c%d%c", 0, status, 0);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char path[PAGE];

	while (argc > 1 && fgets(path, sizeof path, stdin)) {
		path[strcspn(path, "\n")] = 0;
		answer(path, argv + 1);
	}
	return 0;
}
