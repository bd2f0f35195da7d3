// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in CI and in `make test`; a user's newer compiler may warn about more and still builds.
let strict = Context.environment["CI"] != nil || Context.environment["XSPLICE_STRICT"] != nil
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)] + (strict ? [.treatAllWarnings(as: .error)] : [])

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// The floors of the house, from the bottom up: a module knows modules of its own floor and of those below.
enum Floor: String, CaseIterable {
    case system = "System"
    case basics = "Basics"
    case xen = "Xen"
    case processors = "Processors"
    case stages = "Stages"
    case reporting = "Reporting"
    case programs = "Programs"

    var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// The targets so far. A module can only name modules that stand already, on its own floor or below: no circle and no arrow upwards can be
/// written.
struct House {
    private(set) var targets: [Target] = []
    private var floors: [String: Floor] = [:]
    private func check(_ name: String, on floor: Floor, _ modules: [String]) {
        for module in modules {
            guard let below = floors[module] else { fatalError("\(name) depends on \(module), which does not stand yet") }
            guard below.number <= floor.number else { fatalError("\(name) of \(floor.rawValue) depends on \(module) of \(below.rawValue)") }
        }
    }

    /// A C library of the system. Without a name for pkg-config, it is where the compiler looks anyway.
    mutating func library(_ name: String, pkgConfig: String? = nil, _ debianPackage: String) {
        floors[name] = .system
        targets.append(.systemLibrary(name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([debianPackage])]))
    }

    /// A module of ours, the modules that it may know, and what it takes from other packages.
    mutating func module(_ name: String, on floor: Floor, _ modules: [String] = [], _ packages: [Target.Dependency] = []) {
        check(name, on: floor, modules)
        floors[name] = floor
        targets.append(
            .target(
                name: name, dependencies: modules.map { .target(name: $0) } + packages, path: "Sources/\(floor.rawValue)/\(name)",
                swiftSettings: settings))
    }

    mutating func executable(_ name: String, _ modules: [String], _ packages: [Target.Dependency] = []) {
        check(name, on: .programs, modules)
        targets.append(
            .executableTarget(
                name: name, dependencies: modules.map { .target(name: $0) } + packages, path: "Sources/Programs/\(name)", swiftSettings: settings))
    }

    /// What several test targets use.
    mutating func testSupport(_ name: String, _ modules: [String], _ packages: [Target.Dependency] = []) {
        targets.append(
            .target(
                name: name, dependencies: modules.map { .target(name: $0) } + packages, path: "Tests/Support/\(name)", swiftSettings: settings))
    }

    /// The tests of a module, which lie where the module does. They may use whatever helps them.
    mutating func tests(_ name: String, _ modules: [String], _ packages: [Target.Dependency] = []) {
        let floor = floors[name] ?? .programs
        let own: [Target.Dependency] = floors[name] == nil ? [] : [.target(name: name)]
        targets.append(
            .testTarget(
                name: "\(name)Tests", dependencies: own + modules.map { .target(name: $0) } + packages,
                path: "Tests/\(floor.rawValue)/\(name)Tests", swiftSettings: settings))
    }

    mutating func add(_ target: Target) { targets.append(target) }
}

var house = House()

house.library("CLibelf", pkgConfig: "libelf", "libelf-dev")
house.library("CLibdw", pkgConfig: "libdw", "libdw-dev")
house.library("CZlib", pkgConfig: "zlib", "zlib1g-dev")
house.library("CLibgit2", pkgConfig: "libgit2", "libgit2-dev")
house.library("CZydis", "libzydis-dev")
house.library("CXattr", "libc6-dev")

house.module("Diagnostics", on: .basics)
house.module("WorkFiles", on: .basics, ["Diagnostics", "CXattr"], [system])
house.module("ELFModel", on: .basics, ["CLibelf", "Diagnostics"], [system])
house.module("DebugInfo", on: .basics, ["CLibdw", "CLibelf", "ELFModel", "Diagnostics"], [system])

house.module("XenVersions", on: .xen, ["ELFModel"])
house.module("XenSource", on: .xen, ["XenVersions", "CZlib", "ELFModel", "WorkFiles", "Diagnostics"], [system])

house.module("TargetArchitecture", on: .processors, ["XenVersions", "ELFModel"])
house.module("ArchX86_64", on: .processors, ["CZydis", "XenVersions", "TargetArchitecture", "ELFModel"])
house.module("ArchARM", on: .processors, ["XenVersions", "TargetArchitecture", "ELFModel"])
house.module("ArchARM64", on: .processors, ["XenVersions", "ArchARM", "TargetArchitecture", "ELFModel"])
house.module("ArchARM32", on: .processors, ["XenVersions", "ArchARM", "TargetArchitecture", "ELFModel"])

house.module("SourcePatch", on: .stages, ["CLibgit2", "WorkFiles", "Diagnostics"], [system])
house.module("CompilerRecorder", on: .stages)
house.module("EmittedSource", on: .stages, [], [crypto])
house.module(
    "XenBuild", on: .stages,
    ["XenVersions", "TargetArchitecture", "CompilerRecorder", "EmittedSource", "ELFModel", "XenSource", "SourcePatch", "WorkFiles", "Diagnostics"],
    [system, subprocess, crypto])
house.module("ObjectDiff", on: .stages, ["XenVersions", "ELFModel", "DebugInfo", "TargetArchitecture", "SourcePatch", "Diagnostics"], [system])
house.module("PayloadLinker", on: .stages, ["XenVersions", "ObjectDiff", "XenSource", "ELFModel", "TargetArchitecture", "Diagnostics"], [crypto])
house.module("LoaderModel", on: .stages, ["XenVersions", "ELFModel", "TargetArchitecture", "XenSource", "Diagnostics"], [system])
house.module("PayloadProof", on: .stages, ["XenVersions", "XenSource", "ELFModel", "TargetArchitecture", "LoaderModel"])

house.module("CallGraph", on: .stages, ["XenVersions", "ELFModel", "TargetArchitecture", "XenSource", "LoaderModel", "Diagnostics"])

house.module(
    "CodeListing", on: .stages, ["XenBuild", "ObjectDiff", "DebugInfo", "ELFModel", "TargetArchitecture", "Diagnostics"], [system])

house.module(
    "Report", on: .reporting,
    [
        "CallGraph", "CodeListing", "XenVersions", "ObjectDiff", "PayloadLinker", "LoaderModel", "PayloadProof", "XenBuild", "XenSource", "SourcePatch",
        "Diagnostics",
        "ELFModel",
    ])

house.module("SignOff", on: .reporting, ["Report", "CodeListing", "ObjectDiff", "Diagnostics"], [crypto])

house.module("TestDrive", on: .programs, ["XenVersions", "WorkFiles", "Diagnostics"], [system, subprocess])
house.module(
    "LivepatchBuild", on: .programs,
    [
        "XenVersions", "Diagnostics", "WorkFiles", "ELFModel", "DebugInfo", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "XenSource",
        "SourcePatch", "XenBuild", "ObjectDiff", "PayloadLinker", "LoaderModel", "PayloadProof", "CallGraph", "CodeListing", "Report", "SignOff",
    ], [crypto, system])
house.module(
    "XspliceCommand", on: .programs,
    [
        "LivepatchBuild", "XenVersions", "Diagnostics", "WorkFiles", "ELFModel", "TargetArchitecture", "XenSource", "XenBuild", "ObjectDiff",
        "LoaderModel", "PayloadProof", "CallGraph", "CodeListing", "Report", "SignOff", "TestDrive",
    ], [argumentParser, system])
house.executable("xsplice-build", ["XspliceCommand", "CompilerRecorder"])

// For developers; nothing of it is in the program.
house.module("XenRig", on: .programs, ["TestDrive", "Report", "XenVersions", "ELFModel", "WorkFiles", "Diagnostics"], [system, subprocess, crypto])
house.executable("xen-rig", ["XenRig", "TestDrive", "WorkFiles", "Diagnostics"], [argumentParser, system, subprocess])

house.testSupport("TestTools", ["WorkFiles"], [system, subprocess])
house.testSupport(
    "ObjectFixtures",
    [
        "Report", "Diagnostics", "XenVersions", "TestTools", "ObjectDiff", "XenBuild", "WorkFiles", "DebugInfo", "ELFModel", "TargetArchitecture", "ArchX86_64",
        "ArchARM64",
        "ArchARM32", "XenSource", "SourcePatch",
    ], [system])
house.testSupport("SamplePages", ["SignOff", "Report", "CodeListing", "ObjectDiff", "Diagnostics"])
house.testSupport(
    "PayloadSamples",
    ["XenVersions", "LoaderModel", "TestTools", "WorkFiles", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "ELFModel", "XenSource"], [system])

house.add(
    .target(
        name: "FuzzTargets",
        dependencies: [
            "EmittedSource", "ELFModel", "DebugInfo", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "XenVersions", "XenSource", "SourcePatch",
            "ObjectDiff", "LoaderModel", "Report", "WorkFiles", system,
        ],
        path: "Fuzz/Targets", swiftSettings: settings))

house.tests("WorkFiles", ["TestTools"], [system])
house.tests("ELFModel", ["TestTools", "WorkFiles"], [system])
house.tests("DebugInfo", ["TestTools", "WorkFiles"], [system])
house.tests("XenVersions", ["ELFModel"])
house.tests("XenSource", ["XenVersions", "Diagnostics", "TestTools", "WorkFiles"], [system])
house.tests("ArchX86_64", ["XenVersions", "ELFModel", "TargetArchitecture", "TestTools"], [system])
house.tests("ArchARM", ["XenVersions", "ArchARM64", "ArchARM32", "ELFModel", "TargetArchitecture", "TestTools"], [system])
house.tests("EmittedSource", [])
house.tests("SourcePatch", ["Diagnostics", "TestTools", "WorkFiles"], [system, subprocess])
house.tests(
    "XenBuild",
    ["ArchX86_64", "ELFModel", "TestTools", "XenVersions", "CompilerRecorder", "Diagnostics", "SourcePatch", "WorkFiles", "XenSource", "xsplice-build"],
    [system])
house.tests("ObjectDiff", ["XenVersions", "ObjectFixtures", "TestTools", "WorkFiles", "ArchX86_64", "DebugInfo", "ELFModel", "XenSource", "Diagnostics"])
house.tests(
    "PayloadLinker",
    [
        "XenVersions", "ObjectFixtures", "TestTools", "ObjectDiff", "ELFModel", "TargetArchitecture", "ArchX86_64", "LoaderModel", "XenBuild", "XenSource",
        "WorkFiles",
        "Diagnostics",
    ],
    [system])
house.tests(
    "LoaderModel",
    ["XenVersions", "PayloadSamples", "TestTools", "WorkFiles", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "ELFModel", "XenSource"], [system]
)
house.tests("CallGraph", ["XenVersions", "ObjectFixtures", "TestTools", "XenSource", "TargetArchitecture"], [system])
house.tests(
    "PayloadProof",
    [
        "XenVersions", "ObjectFixtures", "TestTools", "ObjectDiff", "PayloadLinker", "ELFModel", "TargetArchitecture", "LoaderModel", "XenSource", "WorkFiles",
        "Diagnostics",
    ], [system])
house.tests("CodeListing", ["ObjectFixtures", "TestTools", "XenBuild", "ObjectDiff", "DebugInfo", "ELFModel", "TargetArchitecture"], [system])
house.tests("SignOff", ["SamplePages", "Report", "CodeListing", "Diagnostics", "ObjectDiff", "TestTools", "WorkFiles"], [system])
house.tests("Report", ["LoaderModel", "XenVersions", "Diagnostics", "ELFModel", "ObjectDiff", "XenSource", "WorkFiles"], [system])
house.tests("TestDrive", ["TestTools", "XenVersions", "Diagnostics", "WorkFiles"], [subprocess, system])
house.tests("XenRig", ["TestDrive", "TestTools", "Diagnostics", "ELFModel", "WorkFiles"], [system])
house.tests(
    "LivepatchBuild",
    [
        "XenVersions", "Diagnostics", "LoaderModel", "ObjectFixtures", "PayloadLinker", "PayloadProof", "Report", "SourcePatch", "TestTools", "WorkFiles",
        "XenBuild", "XenSource",
    ], [system])
house.tests(
    "XspliceCommand", ["LivepatchBuild", "Diagnostics", "Report", "SamplePages", "TestDrive", "TestTools", "XenBuild", "WorkFiles"], [argumentParser, system])
house.tests("FuzzTargets", ["FuzzTargets", "XenRig", "TestTools", "WorkFiles"], [system])
// Of the whole program.
house.tests(
    "Integration",
    [
        "XenVersions", "xsplice-build", "XenRig", "TestDrive", "TestTools", "SamplePages", "SignOff", "Report", "ObjectDiff", "LoaderModel",
        "TargetArchitecture", "ArchX86_64",
        "ArchARM64",
        "ArchARM32", "ELFModel", "XenSource", "WorkFiles",
    ], [system, subprocess])
house.tests(
    "System",
    [
        "XenVersions", "XenRig", "TestDrive", "PayloadSamples", "Report", "TestTools", "ObjectDiff", "PayloadLinker", "LoaderModel", "TargetArchitecture",
        "ArchX86_64", "ArchARM64", "ArchARM32", "DebugInfo", "SourcePatch", "XenBuild", "XenSource", "ELFModel", "Diagnostics", "WorkFiles",
    ], [system, subprocess])

// It calls the fuzzer's runtime, so it can't be built without the flags that `make fuzz` gives to all of it.
if Context.environment["XSPLICE_FUZZING"] != nil {
    house.add(
        .executableTarget(
            name: "xsplice-fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Entry",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}

let package = Package(
    name: "xsplice-build",
    products: [.executable(name: "xsplice-build", targets: ["xsplice-build"])],
    // Exactly these, so that everybody builds the same program. A Package.resolved would name commits too, and a mirror may have others.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: house.targets
)
