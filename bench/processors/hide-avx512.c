/* Answers `cpuid` without AVX-512, VNNI and AMX to a library in which `ud2` stands in place of `cpuid`: see masked-node.mjs. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

enum { FEATURES = 7 };

/* https://en.wikipedia.org/wiki/CPUID: AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL */
static const unsigned HIDDEN_EBX = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31;
/* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
static const unsigned HIDDEN_ECX = 1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14;
/* 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8 */
static const unsigned HIDDEN_EDX = 1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25;
/* Of subleaf 1: AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, AVX10 */
static const unsigned HIDDEN_EAX_1 = 1u << 4 | 1u << 5 | 1u << 21 | 1u << 23;
static const unsigned HIDDEN_EDX_1 = 1u << 4 | 1u << 5 | 1u << 10 | 1u << 19;

static void answer(int number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const unsigned char *instruction = (const unsigned char *)registers[REG_RIP];
  if (instruction[0] != 0x0f || instruction[1] != 0x0b) {
    signal(number, SIG_DFL);
    return;
  }
  unsigned eax = registers[REG_RAX], ebx, ecx = registers[REG_RCX], edx;
  const unsigned leaf = eax, subleaf = ecx;
  __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  if (leaf == FEATURES && subleaf == 0) {
    ebx &= ~HIDDEN_EBX;
    ecx &= ~HIDDEN_ECX;
    edx &= ~HIDDEN_EDX;
  }
  if (leaf == FEATURES && subleaf == 1) {
    eax &= ~HIDDEN_EAX_1;
    edx &= ~HIDDEN_EDX_1;
  }
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
  registers[REG_RIP] += 2;
  (void)info;
}

__attribute__((constructor)) static void install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGILL, &action, 0);
}
