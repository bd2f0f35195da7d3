/// The machine that a build runs on, and the process that it runs in. A build reads neither by itself.
package struct BuildHost: Sendable, Equatable {
    package var environment: [String: String]
    /// The machine's processor, as uname(2) tells it: `x86_64`, `aarch64`, `armv7l`; empty where it does not.
    package var machine: String
    /// The program, with its first arguments, that makes `CompilerRecorder.run` of the rest.
    package var recorder: [String]

    package init(environment: [String: String], machine: String, recorder: [String]) {
        (self.environment, self.machine, self.recorder) = (environment, machine, recorder)
    }
}
