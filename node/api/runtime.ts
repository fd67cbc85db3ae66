import { EXIT, SuprnovaError } from '../core/index.ts'

/** What nodes are tested on; libp2p needs 22 at least. */
const WANTED_MAJOR = 24

/**
 * Says in words what older versions of Node would say by a missing function in the middle of something.
 * @throws SuprnovaError `NODE_VERSION`
 */
export function requireNode(version: string = process.versions.node): void {
  if (Number(version.split('.')[0]) >= WANTED_MAJOR) return
  throw new SuprnovaError(
    'NODE_VERSION',
    `a program that runs Suprnova needs Node ${WANTED_MAJOR}, this is ${version}`,
    {
      exitCode: EXIT.config,
      hint: `install Node ${WANTED_MAJOR} or newer, or run the one that came with the package: node_modules/.bin/node PROGRAM`,
      values: { version, wanted: WANTED_MAJOR },
    },
  )
}
