import type { RecordNetwork } from './record-network.ts'

/** What is measured, each in a process of its own: none pays for another's upkeep or garbage. */
export const SYSTEMS: Readonly<Record<string, () => Promise<RecordNetwork>>> = {
  'kad-dht k=3': async () => (await import('./kad-dht.ts')).kadDhtNetwork(3),
  'kad-dht k=20': async () => (await import('./kad-dht.ts')).kadDhtNetwork(20),
  hyperdht: async () => (await import('./hyperdht.ts')).hyperDhtNetwork(),
  suprnova: async () => (await import('./suprnova.ts')).suprnovaNetwork({ inMemory: false }),
  'suprnova, not flushed': async () => (await import('./suprnova.ts')).suprnovaNetwork({ inMemory: true }),
}
