// Stands in for the hypervisor under Debian's xenstored, so that it runs on any Linux host: the pages that it maps from domains are files
// ring.N of a folder, event channels are bytes in a FIFO there. Preloaded before the libraries of the Xen toolstack.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

static int dummy;

static const char *in_folder(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("STORE_FOLDER"), name);
    return path;
}

static int ring_file(unsigned int domain)
{
    char name[32];
    snprintf(name, sizeof name, "ring.%u", domain);
    return syscall(SYS_openat, AT_FDCWD, in_folder(name), O_RDWR | O_CLOEXEC);
}

// The daemon limits how fast a domain may write. Time here goes a second further each time it is asked for, so nobody has to wait.
int clock_gettime(clockid_t clock, struct timespec *now)
{
    static time_t ahead;
    long result = syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += ahead++;
    return result;
}

// dom0's page and port come from /proc/xen.
int open(const char *path, int flags, ...)
{
    if (!strcmp(path, "/proc/xen/xsd_kva") || !strcmp(path, "/dev/xen/xsd_kva"))
        return ring_file(0);
    if (!strcmp(path, "/proc/xen/xsd_port") || !strcmp(path, "/dev/xen/xsd_port"))
        return syscall(SYS_openat, AT_FDCWD, in_folder("port"), flags);
    return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *domain_logger, unsigned flags)
{
    return (xc_interface *)&dummy;
}

int xc_interface_close(xc_interface *handle)
{
    return 0;
}

// A domain exists when its page does.
int xc_domain_getinfo(xc_interface *handle, uint32_t first, unsigned int count, xc_dominfo_t *info)
{
    int file = ring_file(first);
    if (file < 0)
        return 0;
    close(file);
    memset(info, 0, sizeof *info);
    info->domid = first;
    return 1;
}

void *xengnttab_open(void *logger, unsigned flags)
{
    return &dummy;
}

int xengnttab_close(void *handle)
{
    return 0;
}

int xengnttab_set_max_grants(void *handle, uint32_t count)
{
    return 0;
}

void *xengnttab_map_grant_ref(void *handle, uint32_t domain, uint32_t reference, int protection)
{
    int file = ring_file(domain);
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, 4096, protection, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    return page == MAP_FAILED ? NULL : page;
}

int xengnttab_unmap(void *handle, void *address, uint32_t count)
{
    return munmap(address, 4096 * (size_t)count);
}

static int events = -1;

void *xenevtchn_open(void *logger, unsigned flags)
{
    events = syscall(SYS_openat, AT_FDCWD, in_folder("events"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return events < 0 ? NULL : &dummy;
}

void *xenevtchn_fdopen(void *logger, int fd, unsigned flags)
{
    return NULL;
}

int xenevtchn_fd(void *handle)
{
    return events;
}

int xenevtchn_bind_virq(void *handle, unsigned virq)
{
    return 255;
}

int xenevtchn_bind_interdomain(void *handle, uint32_t domain, uint32_t port)
{
    return domain + 1;
}

int xenevtchn_pending(void *handle)
{
    uint8_t port;
    return read(events, &port, 1) == 1 ? port : -1;
}

int xenevtchn_unmask(void *handle, uint32_t port)
{
    return 0;
}

int xenevtchn_unbind(void *handle, uint32_t port)
{
    return 0;
}

int xenevtchn_notify(void *handle, uint32_t port)
{
    return 0;
}
