// Calls that glibc declares under _GNU_SOURCE only, which Swift's import of it does not set.
#include <malloc.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// memfd_create(2), close-on-exec.
static inline int aerugo_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u);
}

// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts writing out, does not wait.
static inline int aerugo_start_writeback(int descriptor, long long offset, long long count) {
    return (int)syscall(SYS_sync_file_range, descriptor, offset, count, 2u);
}

// How many cores this process may run on, by sched_getaffinity(2); 0 when that can't be told.
static inline int aerugo_usable_cores(void) {
    unsigned long mask[128] = {0};
    long size = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long i = 0; i * (long)sizeof mask[0] < size; i++) count += __builtin_popcountl(mask[i]);
    return count;
}

// sched_setattr(2) for the calling thread: ordinary, this nice unless it is nicer already, and with turns of so many nanoseconds, 100,000 to 100,000,000.
// One that wakes up goes before those with longer turns (Linux 6.12; before it all turns are the kernel's). Not 0 where it is
// refused.
static inline int aerugo_take_turns(int niceness, unsigned long long turn) {
    int own = getpriority(PRIO_PROCESS, 0);
    struct {
        unsigned int size, policy;
        unsigned long long flags;
        int niceness;
        unsigned int priority;
        unsigned long long runtime, deadline, period;
    } attributes = {48, 0, 0, own > niceness ? own : niceness, 0, turn, 0, 0};
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0u);
}

// SCHED_IDLE of sched(7) for the calling thread: it runs while no other wants the core. Not 0 where it is refused.
static inline int aerugo_be_idle(void) {
    int priority = 0;
    return (int)syscall(SYS_sched_setscheduler, 0, 5, &priority);
}

// SCHED_IDLE or whatever the calling thread's policy is, by sched_getscheduler(2).
static inline int aerugo_policy(void) { return (int)syscall(SYS_sched_getscheduler, 0); }

// TCP_INFO of tcp(7) as far as the kernel tells how much the peer has taken (Linux 4.2), which glibc does not declare.
#define AERUGO_TCP_INFO 11
struct aerugo_tcp_progress {
    unsigned char before[104];
    unsigned long long pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
};

// POSIX_SPAWN_SETSID: the child gets a session of its own.
static const int aerugo_spawn_setsid = 0x80;

// posix_spawn_file_actions_addclosefrom_np(3): the child has no descriptors from this one on.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
static inline int aerugo_spawn_closes_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

// Gives the pages of memory that was freed back to the system, if there are so many bytes of it.
static inline void aerugo_trim_memory(unsigned long above) {
    if (mallinfo2().fordblks > above) malloc_trim(0);
}
