import SystemPackage
import Testing

@testable import LivepatchBuild

/// Which targets a run has, and what belongs to each.
@Suite struct TargetPlanTests {
    /// What each file says that it is for, by the first part of its name.
    private static func machine(of path: FilePath) -> UInt16? {
        path.components.first.flatMap { Architectures.named($0.string)?.machine }
    }

    private func plan(
        _ arguments: String..., own: String? = "x86_64", environment: [String: String] = [:], machines: [FilePath: UInt16] = [:]
    ) throws -> [TargetPlan] {
        let options = try buildOptions(arguments)
        var known = machines
        for path in options.targets.xenSyms.map(\.value) + options.stack.payloads where known[path] == nil { known[path] = Self.machine(of: path) }
        return try planTargets(options, machines: known, own: own.flatMap { Architectures.named($0) }, environment: environment)
    }

    private func names(_ plans: [TargetPlan]) -> [String] { plans.map(\.architecture.name) }

    /// The complaint about arguments that can't be.
    private func refusal(_ arguments: [String], own: String? = "x86_64", environment: [String: String] = [:]) throws -> String {
        let options = try buildOptions(arguments)
        var machines: [FilePath: UInt16] = [:]
        for path in options.targets.xenSyms.map(\.value) + options.stack.payloads { machines[path] = Self.machine(of: path) }
        let error = #expect(throws: UsageError.self) {
            try planTargets(options, machines: machines, own: own.flatMap { Architectures.named($0) }, environment: environment)
        }
        return try #require(error).message
    }

    @Test func filesTellTheArchitecture() throws {
        #expect(try names(plan("--xen-syms", "arm64/xen-syms")) == ["arm64"])
        #expect(try names(plan("--xen-syms", "arm64/xen-syms", own: nil)) == ["arm64"])
        #expect(try names(plan("--xen-syms", "arm32/xen-syms", "--xen-syms", "x86_64/xen-syms")) == ["x86_64", "arm32"])
    }

    @Test func withoutFilesItIsTheMachinesOwn() throws {
        #expect(try names(plan(own: "arm64")) == ["arm64"])
        #expect(try names(plan(own: nil)) == ["x86_64"])
        #expect(try names(plan("--arch", "arm32", own: "arm64")) == ["arm32"])
    }

    @Test func eachTargetGetsWhatIsItsOwn() throws {
        let plans = try plan(
            "--arch", "arm64,x86_64", "--xen-syms", "x86_64/xen-syms", "--xen-syms", "arm64=arm64/xen-syms", "-c", "arm64=config", "--on",
            "arm64/1.livepatch", "--on", "x86_64/1.livepatch", "--on", "arm64/2.livepatch", "--applied-patch", "1.patch")
        #expect(names(plans) == ["arm64", "x86_64"])
        #expect(plans.map(\.xenSyms) == ["arm64/xen-syms", "x86_64/xen-syms"])
        #expect(plans.map(\.configuration) == ["config", nil])
        #expect(plans.map(\.applied) == [["arm64/1.livepatch", "arm64/2.livepatch"], ["x86_64/1.livepatch"]])
        #expect(plans.map(\.tools.prefix) == ["aarch64-linux-gnu-", ""])
    }

    @Test func oneTargetTakesWhatSaysNoName() throws {
        let plans = try plan("--arch", "arm32", "-c", "config", "--depends", "bb359fb4", "--nop", "f=4")
        #expect(plans.map(\.configuration) == ["config"])
        #expect(try plan("--arch", "arm32", "-c", "arm32=config").map(\.configuration) == ["config"])
    }

    @Test func noneMayBeGiven() throws {
        #expect(try plan("--arch", "x86_64,arm64,arm32").map(\.xenSyms) == [nil, nil, nil])
    }

    @Test(arguments: [
        (["--arch", "arm64", "--xen-syms", "x86_64/xen-syms"], "x86_64/xen-syms: is for x86_64, and --arch says arm64"),
        (["--xen-syms", "arm64=x86_64/xen-syms"], "--xen-syms arm64=x86_64/xen-syms: that file is for x86_64"),
        (["--arch", "x86_64,arm64", "--xen-syms", "arm32/xen-syms"], "arm32/xen-syms: is for arm32, and --arch says x86_64, arm64"),
        (["--xen-syms", "riscv64/xen-syms"], "riscv64/xen-syms: is for a processor that this version makes no payloads for (ELF machine 0)"),
        (["--xen-syms", "arm64/1", "--xen-syms", "arm64/2"], "--xen-syms: arm64/1 and arm64/2 are both for arm64"),
        (["--xen-syms", "arm64/1", "--xen-syms", "arm64/1"], "--xen-syms: arm64/1 and arm64/1 are both for arm64"),
        (["--arch", "x86_64,arm64", "--xen-syms", "arm64/xen-syms"], "--xen-syms: none is given for x86_64"),
        (["--arch", "x86_64,arm64", "-c", "config"], "-c config: does not say for which target it is (x86_64, arm64)"),
        (["--arch", "x86_64", "-c", "arm64=config"], "-c arm64=config: arm64 is not a target of this run (x86_64)"),
        (["--arch", "x86_64", "-c", "one", "-c", "two"], "-c is given twice for x86_64"),
        (["--arch", "x86_64", "-c", "one", "-c", "x86_64=two"], "-c is given twice for x86_64"),
        (
            ["--xen-syms", "x86_64/xen-syms", "--on", "arm64/1.livepatch"],
            "--on arm64/1.livepatch: is for arm64, which is not a target of this run (x86_64)"
        ),
        (
            ["--xen-syms", "x86_64/1", "--xen-syms", "arm64/1", "--on", "arm64/1.livepatch", "--applied-patch", "p"],
            "--applied-patch: no payload of --on is for x86_64"
        ),
        (
            ["--arch", "x86_64,arm64", "--depends", "bb359fb4"],
            "--depends with several targets (x86_64, arm64): a build-id belongs to one hypervisor or payload"
        ),
        (
            ["--arch", "x86_64,arm64", "--xen-depends", "bb359fb4"],
            "--xen-depends with several targets (x86_64, arm64): a build-id belongs to one hypervisor or payload"
        ),
        (
            ["--arch", "x86_64,arm64", "--nop", "f=4"],
            "--nop f=4 with several targets (x86_64, arm64): each processor has instructions of its own"
        ),
        (
            ["--arch", "arm32,arm64", "--cross-compile", "arm-"],
            "--cross-compile arm-: does not say for which target it is (arm32, arm64)"
        ),
        (["--cross-compile", "arm64=arm-"], "--cross-compile arm64=arm-: arm64 is not a target of this run (x86_64)"),
        (["--cross-compile", "a-", "--cross-compile", "b-"], "--cross-compile is given twice for x86_64"),
    ])
    func contradictionsAreRefused(arguments: [String], message: String) throws {
        #expect(try refusal(arguments) == message)
    }

    @Test func aCumulativePayloadNeedsNoneBelowIt() throws {
        let plans = try plan(
            "--xen-syms", "x86_64/1", "--xen-syms", "arm64/1", "--on", "arm64/1.livepatch", "--applied-patch", "p", "--cumulative")
        #expect(plans.map(\.applied) == [[], ["arm64/1.livepatch"]])
    }

    // MARK: Tools

    private func tools(_ arguments: [String], own: String? = "x86_64", _ environment: [String: String] = [:]) throws -> [CrossTools] {
        let options = try buildOptions(arguments)
        return try planTargets(options, machines: [:], own: own.flatMap { Architectures.named($0) }, environment: environment).map(\.tools)
    }

    @Test func theMachinesOwnToolsHaveNoPrefix() throws {
        #expect(try tools(["--arch", "x86_64"]).map(\.prefix) == [""])
        let foreign = try tools(["--arch", "arm64,arm32"])
        #expect(foreign.map(\.prefix) == ["aarch64-linux-gnu-", "arm-linux-gnueabihf-"])
        #expect(foreign.map(\.package) == ["gcc-aarch64-linux-gnu", "gcc-arm-linux-gnueabihf"])
        #expect(try tools(["--arch", "x86_64,arm64"], own: "arm64").map(\.prefix) == ["x86_64-linux-gnu-", ""])
        #expect(try tools(["--arch", "x86_64"], own: nil).map(\.prefix) == ["x86_64-linux-gnu-"])
    }

    @Test func theOptionOutranksTheEnvironment() throws {
        let environment = ["CROSS_COMPILE": "env-"]
        #expect(try tools(["--arch", "arm64"], environment).map(\.prefix) == ["env-"])
        #expect(try tools(["--arch", "arm64"], environment).map(\.package) == [nil])
        #expect(try tools(["--arch", "arm64", "--cross-compile", "opt-"], environment).map(\.prefix) == ["opt-"])
        #expect(try tools(["--arch", "arm64", "--cross-compile", "arm64=opt-"], environment).map(\.prefix) == ["opt-"])
        #expect(try tools(["--arch", "arm64", "--cross-compile", ""], environment).map(\.prefix) == [""])
        // As in Xen's make: who sets it for the machine's own architecture means it.
        #expect(try tools(["--arch", "x86_64"], environment).map(\.prefix) == ["env-"])
        #expect(try tools(["--arch", "x86_64"], ["CROSS_COMPILE": ""]).map(\.prefix) == [""])
    }

    @Test func onePrefixIsForTheOneForeignTarget() throws {
        #expect(try tools(["--arch", "x86_64,arm64", "--cross-compile", "opt-"]).map(\.prefix) == ["", "opt-"])
        #expect(try tools(["--arch", "x86_64,arm64"], ["CROSS_COMPILE": "env-"]).map(\.prefix) == ["", "env-"])
        #expect(
            try refusal(["--arch", "x86_64,arm64,arm32"], environment: ["CROSS_COMPILE": "env-"])
                == "CROSS_COMPILE=env-: does not say for which target it is (arm64, arm32)")
        let each = ["--arch", "x86_64,arm64,arm32", "--cross-compile", "arm64=a-", "--cross-compile", "arm32=b-"]
        #expect(try tools(each, ["CROSS_COMPILE": "env-"]).map(\.prefix) == ["", "a-", "b-"])
    }

    @Test func theCompilerIsTakenAsItIs() throws {
        #expect(
            try tools(["--arch", "arm64"], ["CC": "gcc-11 -v"])
                == tools(["--arch", "arm64"]).map { tools in
                    var tools = tools
                    tools.compiler = "gcc-11 -v"
                    return tools
                })
        #expect(try tools(["--arch", "x86_64,arm64"], ["CC": "gcc-11"]).map(\.compiler) == ["gcc-11", nil])
        #expect(try tools(["--arch", "x86_64"], ["CC": ""]).map(\.compiler) == [nil])
        #expect(
            try refusal(["--arch", "arm64,arm32"], environment: ["CC": "gcc-11"])
                == "CC=gcc-11: one compiler can't compile for several targets (arm64, arm32)")
    }

    @Test(arguments: [("x86_64", "x86_64"), ("aarch64", "arm64"), ("armv7l", "arm32"), ("armv8l", "arm32"), ("riscv64", nil), ("", nil)])
    func ownArchitecture(machine: String, name: String?) {
        #expect(Architectures.own(machine: machine)?.name == name)
    }
}
