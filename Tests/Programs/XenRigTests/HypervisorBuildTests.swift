import SystemPackage
import TestDrive
import Testing

@testable import XenRig

@Suite("how hypervisors are built, and what caches know of that")
struct HypervisorBuildTests {
    @Test("a build's folder has the machine and the variant in its name; those for x86_64 keep theirs")
    func folders() {
        func folder(_ machine: TargetMachine, _ variant: String = "") -> String { BuildRecipe(variant: variant, machine: machine).folder }
        #expect(folder(.x86_64) == "build")
        #expect(folder(.x86_64, "debug") == "build-debug")
        #expect(folder(.arm64) == "build-arm64")
        #expect(folder(.arm32, "debug") == "build-arm32-debug")
    }

    @Test("the recipe of an x86_64 build is what caches already have")
    func recipeOfX86() {
        let facts = "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970\nXEN_BUILD_TIME=00:00:00\nXEN_BUILD_HOST=rig"
        #expect(BuildRecipe().text == "CONFIG_LIVEPATCH=y\nflags \nwith example payloads\n\(facts)")
        #expect(BuildRecipe().variables == [])
        let other = BuildRecipe(
            options: ["CONFIG_DEBUG": "y"], flags: "-O1", compiler: SuiteCompiler(version: 10, program: "/cache/usr/bin/gcc-10"))
        #expect(other.text == "CONFIG_DEBUG=y\nCONFIG_LIVEPATCH=y\nflags -O1\nwith example payloads\n\(facts)\nCC=/cache/usr/bin/gcc-10\nHOSTCC=gcc")
        #expect(other.variables == ["CC=/cache/usr/bin/gcc-10", "HOSTCC=gcc", "EXTRA_CFLAGS_XEN_CORE=-O1"])
    }

    @Test(
        "a build for another machine is a cross-build, in its recipe as well",
        arguments: [
            (TargetMachine.arm64, ["XEN_TARGET_ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"]),
            (.arm32, ["XEN_TARGET_ARCH=arm32", "CROSS_COMPILE=arm-linux-gnueabihf-"]),
        ])
    func crossBuild(machine: TargetMachine, variables: [String]) {
        let recipe = BuildRecipe(machine: machine)
        #expect(recipe.variables == variables)
        #expect(recipe.text == BuildRecipe().text + "\n" + variables.joined(separator: "\n"))
        let build = HypervisorBuild(version: "4.17", tree: "/tree", machine: machine)
        #expect(variables.last == "CROSS_COMPILE=\(build.machine.crossPrefix)")
    }
}
