import { readFileSync } from 'node:fs'
import { machineBootId } from './guard/environment.ts'

/** Which processes live on this machine. */
export interface ProcessTable {
  readonly ownPid: number
  /**
   * A string that no other process of this machine ever had together with `pid`, or `undefined` when no such
   * process lives.
   */
  startedAt(pid: number): string | undefined
}

/** Field 22 of /proc/PID/stat: clock ticks from boot to the start of the process. Counted from the state, field 3. */
const START_FIELD = 22 - 3

/** The processes of this machine: boot id and start time where Linux tells them, else only whether the pid lives. */
export const machineProcesses: ProcessTable = {
  ownPid: process.pid,
  startedAt(pid) {
    if (!Number.isInteger(pid) || pid <= 0) return undefined
    if (process.platform !== 'linux') return signalReaches(pid) ? 'unknown' : undefined
    let stat: string
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOENT' || code === 'ESRCH') return undefined
      throw error
    }
    // The name in parentheses may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[0]
    if (state === 'Z' || state === 'X') return undefined
    return `${machineBootId()}:${fields[START_FIELD]}`
  },
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
