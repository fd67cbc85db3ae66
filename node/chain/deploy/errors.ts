import { EXIT } from '../../core/index.ts'
import { ChainError } from '../errors.ts'

/** A deployment could not be finished. `values.step` names the step that failed. */
export class DeployError extends ChainError {
  override readonly name: string = 'DeployError'
}

/** A deployment file cannot be used. `values.field` names what is wrong in it. */
export class DeploymentFileError extends ChainError {
  override readonly name: string = 'DeploymentFileError'

  constructor(path: string, field: string, problem: string, cause?: unknown) {
    super('DEPLOYMENT_FILE_INVALID', `deployment file ${path}: ${field} ${problem}`, {
      exitCode: EXIT.config,
      hint: 'give the file that `suprnova chain deploy` wrote, or deploy again',
      values: { path, field },
      cause,
    })
  }
}
