import TestRig
import Testing

/// A patch of `Fixtures/patches/xen-4.17`, and what dom0 sees of it.
struct PayloadCase: Sendable, CustomTestStringConvertible {
    /// The patch's file name without `.patch`: the payload's name, too.
    var name: String
    /// What the patch is an example of.
    var what: String
    /// A command that shows the effect.
    var look: String
    /// Whether `look` printed, and Xen logged meanwhile, what they should while the payload is applied.
    var isApplied: @Sendable (Console.StepResult) -> Bool
    /// Whether only the console shows the effect, so that `look` prints the same all the time.
    var onConsoleOnly = false
    /// How many functions are replaced.
    var functions = 1

    var testDescription: String { "\(name): \(what)" }

    /// A part of /sys/hypervisor that the hypervisor answers anew each time.
    private static func read(_ files: String...) -> String { "cat" + files.map { " /sys/hypervisor/\($0)" }.joined() }

    static let all = [
        PayloadCase(
            name: "hello-world", what: "another string of another length", look: read("version/extra"),
            isApplied: { $0.output == "Hello World" }),
        PayloadCase(
            name: "f1-global", what: "the body of a global function", look: read("version/major"),
            isApplied: { $0.output == "44" }),
        PayloadCase(
            name: "f1-static", what: "the body of a static function", look: "xl debug-keys h",
            isApplied: { !$0.xenLog.isEmpty && $0.xenLog.allSatisfy { $0.hasPrefix("[patched] ") } }, onConsoleOnly: true),
        PayloadCase(
            name: "f2-several", what: "three functions in two files",
            look: read("version/minor", "properties/changeset", "properties/capabilities"),
            isApplied: {
                let lines = $0.output.split(separator: "\n")
                return lines.count == 3 && lines[0] == "99" && lines[1] == "several functions" && lines[2].contains(" patched")
            },
            functions: 3),
        PayloadCase(
            name: "f3-two-files", what: "a new function of one file, called from another", look: read("properties/changeset"),
            isApplied: { $0.output == "from two files: 7" }),
        PayloadCase(
            name: "f4-remove", what: "a function removed and its callers changed", look: "xl debug-keys h",
            isApplied: { !$0.xenLog.isEmpty && $0.xenLog.allSatisfy { $0.hasPrefix("~") } }, onConsoleOnly: true,
            functions: 2),
        PayloadCase(
            name: "s1-string", what: "a string of the same length", look: read("properties/capabilities"),
            isApplied: { $0.output.hasPrefix("XEN-3.0-x86_64") }),
        PayloadCase(
            name: "s2-func-name", what: "a new string and __func__", look: read("properties/changeset"),
            isApplied: {
                $0.output == "xen_changeset" && $0.xenLog.contains("xen_changeset: somebody asked for the changeset")
            }),
        PayloadCase(
            name: "d1-data", what: "new variables that keep their values between calls",
            look: "for i in 1 2 3; do cat /sys/hypervisor/version/extra; done",
            isApplied: { $0.output == "calls 1\ncalls 2\ncalls 3" }),
        PayloadCase(
            name: "x1-warn", what: "a WARN() that names the payload", look: read("compilation/compile_date"),
            isApplied: { step in
                step.xenLog.contains { $0.hasPrefix("Xen WARN at common/version.c:15") }
                    && step.xenLog.contains { $0.hasPrefix("RIP:") && $0.contains("x1-warn") }
            },
            onConsoleOnly: true),
        PayloadCase(
            name: "x2-wrmsr-safe", what: "a fault that the exception table catches", look: read("properties/capabilities"),
            isApplied: { $0.output.hasPrefix("wrmsr_safe-says-14 ") }),
        PayloadCase(
            name: "x3-alternative", what: "an alternative that is applied at load", look: read("properties/capabilities"),
            isApplied: { $0.output.hasPrefix("alternative-2 ") }),
    ]

    // MARK: Its steps

    /// Adds all that is done with the payload, from before it is there until it is gone.
    func addSteps(to scenario: inout Scenario) throws {
        scenario.step(id("before"), look)
        try scenario.hostTool(id("load"), .load, name)
        scenario.step(id("applied"), look)
        scenario.step(id("list"), "xen-livepatch list")
        try scenario.hostTool(id("revert"), .revert, name)
        scenario.step(id("reverted"), look)
        try scenario.hostTool(id("unload"), .unload, name)
        scenario.step(id("gone"), "xen-livepatch list")
    }

    static let parts = ["before", "load", "applied", "list", "revert", "reverted", "unload", "gone"]

    /// The name of one of its steps.
    func id(_ part: String) -> String { "\(name).\(part)" }
}
