import type { Hex } from '../../core/index.ts'
import type { OpenAction } from '../network/action.ts'

/** Collects what a challenge leaves to whom it is due. Anyone may, and a running node does: whoever is first. */
export async function collectUnlessOthers(action: OpenAction, challengeId: Hex): Promise<void> {
  const { collectChallenge, readChallenge } = await import('../../chain/index.ts')
  try {
    await collectChallenge(action, { challengeId })
  } catch (error) {
    if ((await readChallenge(action, challengeId))?.status !== 'collected') throw error
  }
}
