import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DeploymentRecord } from '../../chain/index.ts'

/** The deployment file of a data directory. */
export const DEPLOYMENT_FILE_NAME = 'deployment.json'

/** Where the deployment file of a data directory lies. */
export function deploymentPath(dataDir: string): string {
  return join(dataDir, DEPLOYMENT_FILE_NAME)
}

/**
 * The deployment file of a data directory, undefined when there is none.
 * @throws DeploymentFileError `DEPLOYMENT_FILE_INVALID` naming the field
 */
export async function deploymentIn(dataDir: string): Promise<DeploymentRecord | undefined> {
  const path = deploymentPath(dataDir)
  if (!existsSync(path)) return undefined
  const { readDeployment } = await import('../../chain/index.ts')
  return readDeployment(path)
}
