import { defineConfig } from 'vitest/config'

/** Tiers run one after the other, so that those with processes and sockets have the machine to themselves. */
const TIERS = [
  { name: 'unit', timeoutMs: 30_000, workers: 2, needsContracts: false },
  { name: 'sim', timeoutMs: 60_000, workers: 2, needsContracts: false },
  { name: 'integration', timeoutMs: 60_000, workers: 2, needsContracts: true },
  { name: 'fuzz', timeoutMs: 120_000, workers: 2, needsContracts: true },
  { name: 'e2e', timeoutMs: 180_000, workers: 1, needsContracts: true },
] as const

const LONG_FACTOR = process.env.SUPRNOVA_LONG === '1' ? 60 : 1

export default defineConfig({
  test: {
    projects: TIERS.map(({ name, timeoutMs, workers, needsContracts }, order) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        globalSetup: needsContracts ? ['test/contracts-built.ts'] : [],
        pool: 'forks' as const,
        maxWorkers: workers,
        sequence: { groupOrder: order },
        testTimeout: timeoutMs * LONG_FACTOR,
        hookTimeout: timeoutMs * LONG_FACTOR,
      },
    })),
  },
})
