#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* Exchanges two paths again and again until it is killed; says first that the system can do it. */
int main(int argc, char **argv) {
  if (argc != 3) return 2;
  for (unsigned long count = 0;; count += 1) {
    if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0) {
      perror("renameat2");
      return 1;
    }
    if (count == 1) {
      puts("swapping");
      fflush(stdout);
    }
  }
}
