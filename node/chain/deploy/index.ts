export { type DeployModules, type DeployOptions, deploy, setBootstrap } from './deploy.ts'
export { type DeploymentRecord, parseDeployment, readDeployment, writeDeployment } from './deployment-file.ts'
export { DeployError, DeploymentFileError } from './errors.ts'
export { PRESETS, type PresetName } from './presets.ts'
