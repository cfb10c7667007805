/* The kernel's log: one line a happening, on stderr, where Jupyter keeps it. Only the kernel process uses it. */
#ifndef WEIR_KERNEL_LOG_H
#define WEIR_KERNEL_LOG_H

/* Write "weir-kernel: TEXT" and a newline in one write. Line ends inside the text become spaces; long text is cut. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
