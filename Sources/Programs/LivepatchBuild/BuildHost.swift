/// The machine and the process that a build runs in. The caller says both: a build reads neither from the system.
package struct BuildHost: Sendable, Equatable {
    package var environment: [String: String]
    /// The machine's processor as uname(2) names it: `x86_64`, `aarch64`, `armv7l`; empty if uname(2) gives none.
    package var machine: String
    /// The program and its first arguments; it calls `CompilerRecorder.run` with the arguments after them.
    package var recorder: [String]

    package init(environment: [String: String], machine: String, recorder: [String]) {
        (self.environment, self.machine, self.recorder) = (environment, machine, recorder)
    }
}
