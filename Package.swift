// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in CI and in `make test`; a user's newer compiler may warn about more and still builds.
let strict = Context.environment["CI"] != nil || Context.environment["XSPLICE_STRICT"] != nil
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)] + (strict ? [.treatAllWarnings(as: .error)] : [])

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A room of the house: a library target, and the rooms that it may know.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "xsplice-build",
    products: [.executable(name: "xsplice-build", targets: ["xsplice-build"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibelf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
        .systemLibrary(name: "CLibdw", pkgConfig: "libdw", providers: [.apt(["libdw-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLibgit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),

        room("Diagnostics"),
        room("WorkFiles", ["Diagnostics", system]),
        room("ELFModel", ["CLibelf", "Diagnostics", system]),
        room("DebugInfo", ["CLibdw", "CLibelf", "ELFModel", "Diagnostics", system]),
        room("TargetArchitecture", ["ELFModel"]),
        room("ArchX86_64", ["TargetArchitecture", "ELFModel"]),
        room("ArchARM", ["TargetArchitecture", "ELFModel"]),
        room("ArchARM64", ["ArchARM", "TargetArchitecture", "ELFModel"]),
        room("ArchARM32", ["ArchARM", "TargetArchitecture", "ELFModel"]),
        room("XenSource", ["CZlib", "ELFModel", "WorkFiles", "Diagnostics", system]),
        room("SourcePatch", ["CLibgit2", "WorkFiles", "Diagnostics", system]),
        room("CompilerRecorder"),
        room("XenBuild", ["CompilerRecorder", "ELFModel", "XenSource", "SourcePatch", "WorkFiles", "Diagnostics", system, subprocess, crypto, logging]),
        room("ObjectDiff", ["ELFModel", "DebugInfo", "TargetArchitecture", "Diagnostics"]),
        room("PayloadLinker", ["ObjectDiff", "XenSource", "ELFModel", "TargetArchitecture", "Diagnostics", crypto]),
        room("LoaderModel", ["ELFModel", "TargetArchitecture", "XenSource", "Diagnostics", system]),
        room(
            "Report",
            ["ObjectDiff", "PayloadLinker", "LoaderModel", "XenBuild", "XenSource", "SourcePatch", "Diagnostics", "ELFModel"]),
        room("TestRig", ["WorkFiles", "Diagnostics", system, subprocess]),
        room(
            "XspliceCommand",
            [
                "Diagnostics", "WorkFiles", "ELFModel", "DebugInfo", "TargetArchitecture", "ArchX86_64", "ArchARM64",
                "ArchARM32", "XenSource", "SourcePatch", "XenBuild", "ObjectDiff", "PayloadLinker", "LoaderModel",
                "Report", "TestRig", argumentParser, crypto, logging, system,
            ]),

        .executableTarget(
            name: "xsplice-build", dependencies: ["XspliceCommand", "CompilerRecorder"], swiftSettings: settings),
        .executableTarget(
            name: "xen-rig",
            dependencies: ["TestRig", "ChangeCases", "WorkFiles", "Diagnostics", argumentParser, crypto, system, subprocess],
            swiftSettings: settings),

        .target(
            name: "FuzzTargets",
            dependencies: [
                "ELFModel", "DebugInfo", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "XenSource", "SourcePatch", "ObjectDiff", "LoaderModel",
                "Report", "WorkFiles", system,
            ],
            path: "Fuzz/Targets", swiftSettings: settings),
        .target(name: "TestTools", dependencies: [system, subprocess], path: "Tests/TestTools", swiftSettings: settings),
        .target(
            name: "ObjectFixtures",
            dependencies: ["TestTools", "ObjectDiff", "DebugInfo", "ELFModel", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "XenSource", system],
            path: "Tests/ObjectFixtures", swiftSettings: settings),
        .target(
            name: "ChangeCases", dependencies: ["Report", "ELFModel", "Diagnostics", "WorkFiles", system], path: "Tests/ChangeCases",
            swiftSettings: settings),
        tests("ELFModel", ["TestTools", system]),
        tests("FuzzTargets", ["ChangeCases", "TestTools", "WorkFiles", system]),
        tests("ObjectDiff", ["ObjectFixtures", "TestTools", "ArchX86_64", "DebugInfo", "ELFModel", "XenSource", "Diagnostics"]),
        tests(
            "PayloadLinker",
            [
                "ObjectFixtures", "TestTools", "ObjectDiff", "ELFModel", "TargetArchitecture", "ArchX86_64", "LoaderModel", "XenSource", "Diagnostics",
                system,
            ]),
        tests("DebugInfo", ["TestTools", system]),
        tests("ArchX86_64", ["ELFModel", "TargetArchitecture", "TestTools", system]),
        tests("ArchARM", ["ArchARM64", "ArchARM32", "ELFModel", "TargetArchitecture", "TestTools", system]),
        tests("WorkFiles", [system]),
        tests("XenSource", ["Diagnostics", system]),
        tests(
            "XenBuild",
            ["CompilerRecorder", "Diagnostics", "SourcePatch", "WorkFiles", "XenSource", "xsplice-build", system]),
        .target(
            name: "PayloadSamples",
            dependencies: ["LoaderModel", "TestTools", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "ELFModel", "XenSource", system],
            path: "Tests/PayloadSamples", swiftSettings: settings),
        tests(
            "LoaderModel", ["PayloadSamples", "TestTools", "TargetArchitecture", "ArchX86_64", "ArchARM64", "ArchARM32", "ELFModel", "XenSource", system]),
        tests("SourcePatch", ["Diagnostics", system, subprocess]),
        tests("TestRig", ["Diagnostics", "WorkFiles", subprocess, system]),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "ChangeCases", "PayloadSamples", "Report", "TestRig", "TestTools", "ObjectDiff", "PayloadLinker", "LoaderModel", "TargetArchitecture",
                "ArchX86_64", "ArchARM64", "ArchARM32", "DebugInfo", "SourcePatch", "XenBuild", "XenSource", "ELFModel", "Diagnostics", "WorkFiles", system,
                subprocess,
            ],
            swiftSettings: settings),
        tests("Report", ["Diagnostics", "ELFModel", "ObjectDiff", "XenSource", "WorkFiles", system]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "xsplice-build", "ChangeCases", "TestTools", "Report", "ObjectDiff", "LoaderModel", "TargetArchitecture", "ArchX86_64",
                "ArchARM64", "ArchARM32", "ELFModel", "XenSource", "WorkFiles", system, subprocess,
            ],
            swiftSettings: settings),
        tests("XspliceCommand", ["Diagnostics", "PayloadLinker", "Report", "SourcePatch", "TestRig", "XenBuild", "WorkFiles", "XenSource", argumentParser, logging, system]),
    ]
)

// It calls the fuzzer's runtime, so it can't be built without the flags that `make fuzz` gives to all of it.
if Context.environment["XSPLICE_FUZZING"] != nil {
    package.targets.append(
        .executableTarget(
            name: "xsplice-fuzz",
            dependencies: ["FuzzTargets"],
            path: "Fuzz/Entry", swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
