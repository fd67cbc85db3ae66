import { readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second, whatever its timer does. */
const TICK_MS = 10
/** Fields of /proc/PID/stat after the name in parentheses, which may hold spaces. */
const FIELD = { userTicks: 11, systemTicks: 12 } as const

/** What a process has cost so far. */
export interface Usage {
  /** Processor time of all its threads. */
  readonly cpuMs: number
  /** Memory it has in use. */
  readonly residentBytes: number
}

/** Reads what a process of this machine costs. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  const ticks = Number(fields[FIELD.userTicks]) + Number(fields[FIELD.systemTicks])
  return { cpuMs: ticks * TICK_MS, residentBytes: Number(resident ?? 0) * 1024 }
}
