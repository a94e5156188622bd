// The door of `rollcall/sim`: clusters of real members on a simulated network, replayed from a seed. Re-exports only.
export { type AgreementSetup, agreeWithinMs, disagreement } from './agreement.ts'
export {
  Cluster,
  type ClusterEvent,
  type ClusterOptions,
  type CrashOptions,
  type RestartOptions,
} from './cluster.ts'
export type { DiskChange, DiskFault, SimDisk, Tenant } from './disk.ts'
export { type Outcome, runTrial, type TrialOptions, type Violation } from './exploration.ts'
export type { NetworkObserver, PacketFate, StreamFate } from './fabric.ts'
export type { CutOptions, FaultVerb } from './fault-verbs.ts'
export { type DiskFate, type Fault, type FaultKind, nameOf } from './faults.ts'
export type { SimHost } from './host.ts'
export { INVARIANTS, InvariantError, type InvariantName, invariantErrorIn } from './invariants.ts'
export type { ExponentialLatency, Latency, LogNormalLatency, UniformLatency } from './latency.ts'
export type { CutKind, Leg, LinkOptions, Links, Rule, Verdict } from './links.ts'
export type { Network, NetworkOptions } from './network.ts'
export { type ClusterPlan, type PlanOptions, planCluster } from './plan.ts'
export type { Times } from './plan-detection.ts'
export type { Load, StreamLoad } from './plan-traffic.ts'
export { type MachineOptions, type Trial, trialOf } from './schedules.ts'
export type { ServiceSetup, SimMemberOptions } from './seat.ts'
export { ServiceClock } from './service-clock.ts'
export { type ShrinkOptions, shrinkTrial } from './shrinking.ts'
export { Simulation, SimulationError, type SimulationOptions, type WaitOptions } from './simulation.ts'
export type { Station } from './station.ts'
export type { Felt, PacketDrop, Tally, Traffic } from './traffic.ts'
export { firstDifference, type Transcript, type TranscriptDetail } from './transcript.ts'
export type { View } from './views.ts'
