import TestDrive
import XenRig

/// What is done with the payload of a change in a booted hypervisor, and what must be seen meanwhile.
enum BootedChange {
    /// The steps, from before it is there until it is gone.
    static let parts = ["before", "load", "applied", "list", "revert", "reverted", "unload", "gone"]

    static func addSteps(of change: ChangeCase, to scenario: inout Scenario) throws {
        guard let look = change.expected.boot?.look else { return }
        scenario.step("\(change.name).before", look)
        try scenario.hostTool("\(change.name).load", .load, change.name)
        scenario.step("\(change.name).applied", look)
        scenario.step("\(change.name).list", "xen-livepatch list")
        try scenario.hostTool("\(change.name).revert", .revert, change.name)
        scenario.step("\(change.name).reverted", look)
        try scenario.hostTool("\(change.name).unload", .unload, change.name)
        scenario.step("\(change.name).gone", "xen-livepatch list")
    }

    /// What was not as it should be, a line each: every step, the list, and the effect, which is there while the payload is applied only.
    static func deviations(of change: ChangeCase, in machine: MachineRun) throws -> [String] {
        func step(_ part: String) -> Console.StepResult { machine["\(change.name).\(part)"] }
        var found = parts.filter { !step($0).succeeded }.map { part in
            "\(part): exit code \(step(part).exitCode.map { "\($0)" } ?? "none"): \(step(part).output) \(step(part).xenLog)"
        }
        guard let boot = change.expected.boot, boot.applied != nil || boot.log != nil else { return found + ["nothing is said of what to see"] }
        for part in ["before", "applied", "reverted"] {
            let result = step(part)
            var matches: [Bool] = []
            if let pattern = boot.applied { matches.append(try result.output.wholeMatch(of: Regex(pattern)) != nil) }
            if let pattern = boot.log {
                let regex = try Regex(pattern)
                // The hypervisor writes to the serial line at once, dom0's kernel when it gets to it: on a slow machine the mark of a step may
                // come behind what the hypervisor logged in it, or before what it logged in the step before.
                let logs = part == "applied" ? step("load").xenLog + result.xenLog + step("list").xenLog : result.xenLog
                matches.append(logs.contains { $0.contains(regex) })
            }
            if matches.contains(part != "applied") { found.append("\(part): \(result.output) \(result.xenLog)") }
        }
        if entry(of: change.name, in: step("list"))?.contains("APPLIED") != true { found.append("list: \(step("list").output)") }
        if entry(of: change.name, in: step("gone")) != nil { found.append("gone: \(step("gone").output)") }
        return found
    }

    /// The line of the host tool's list for a payload.
    static func entry(of name: String, in list: Console.StepResult) -> Substring? {
        list.output.split(separator: "\n").first { $0.split(separator: " ").first == name[...] }
    }

    /// True for a line in which the hypervisor says that something is wrong. (A debug build reports each fault that an exception table catches.)
    static func isComplaint(_ line: String) -> Bool {
        !line.hasPrefix("Fixup #") && ["Xen WARN", "Xen BUG", "Assertion", "FATAL", "Panic", "GPF (", "#PF", "#UD"].contains { line.contains($0) }
    }

    /// The complaints of a whole run but for those of `changes` whose very effect is one.
    static func complaints(in machine: MachineRun, without changes: [ChangeCase]) -> [String] {
        let wanted = changes.filter { $0.expected.boot?.log?.contains("Xen WARN") == true }
            .flatMap { machine["\($0.name).applied"].xenLog.filter(isComplaint) }
        var rest = wanted[...]
        return machine.console.lines.compactMap { line in
            guard case .hypervisor(let text) = line, isComplaint(text) else { return nil }
            if text == rest.first {
                rest.removeFirst()
                return nil
            }
            return text
        }
    }
}
