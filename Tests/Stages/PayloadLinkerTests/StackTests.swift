import ArchX86_64
import Diagnostics
import ELFModel
import LoaderModel
import ObjectDiff
import ObjectFixtures
import PayloadLinker
import SystemPackage
import TestTools
import Testing
import XenSource
import XenVersions

/// Payloads on top of payloads, each made from the next state of one source.
@Suite struct StackTests {
    private struct Layer {
        var outcome: LinkOutcome
        var running: RunningHypervisor
    }

    /// An object for each state of the source, each in a folder of its own.
    private func compile(_ states: [String], in folder: FilePath) async throws -> [FilePath] {
        var objects: [FilePath] = []
        for (number, state) in states.enumerated() {
            let place = folder.appending("\(number)")
            try await run("mkdir", [place.string])
            objects.append(try await ObjectFixtures.compile(state, in: place))
        }
        return objects
    }

    /// Builds a payload for each step from one state to the next, on top of those before it.
    private func stack(_ states: [String], knowingPatches: Bool = true, strip: Bool = false) async throws -> [Layer] {
        try await withTemporaryFolder { folder in
            let objects = try await compile(states, in: folder)
            let image = try await ObjectFixtures.link([objects[0]], in: folder)
            var payloads: [(path: FilePath, bytes: [UInt8])] = []
            var layers: [Layer] = []
            for step in 1..<states.count {
                let running = try loadStack(payloads, onto: image, architecture: ArchX86_64(), abi: .livepatchV2, version: XenVersion(major: 4, minor: 17))
                let below = knowingPatches && step > 1 ? [try ObjectFixtures.compare(objects[0], objects[step - 1], name: "test.c")] : []
                let outcome = try linkPayload(
                    [try ObjectFixtures.compare(objects[step - 1], objects[step], name: "test.c")], onto: running, below: below,
                    architecture: ArchX86_64(), options: LinkOptions(name: "step-\(step)", abi: .livepatchV2, xen: .ofFixtures, strip: strip))
                try outcome.diagnostics.requireCatalogued()
                layers.append(Layer(outcome: outcome, running: running))
                guard let payload = outcome.payload else { break }
                payloads.append((FilePath("step-\(step).livepatch"), payload.bytes))
            }
            return layers
        }
    }

    private func names(_ layer: Layer) throws -> (undefined: [String], defined: [String]) {
        let file = try ELFFile(bytes: try #require(layer.outcome.payload, "\(layer.outcome.diagnostics)").bytes, name: "payload")
        return (
            file.symbols.filter { $0.isUndefined && !$0.name.isEmpty }.map(\.name),
            file.symbols.filter { !$0.isUndefined && !$0.name.isEmpty }.map(\.name)
        )
    }

    private static let base = "u32 f(u32 x) { sink(0); return x * 1000003; } u32 g(u32 x) { sink(0); return x * 1000033; }\n"
    private static let first = """
        static u32 count; static noinline u32 helper(u32 x) { sink(&count); return x + ++count; }
        u32 f(u32 x) { return helper(x) * 1000003; } u32 g(u32 x) { sink(0); return x * 1000033; }

        """

    @Test func thePayloadBelowIsDependedOn() async throws {
        let layers = try await stack([Self.base, Self.first, Self.first.replacing("1000003", with: "1000005")])
        let (one, two) = (try #require(layers[0].outcome.payload), try #require(layers[1].outcome.payload, "\(layers[1].outcome.diagnostics)"))
        #expect(one.depends == layers[0].running.image.buildID)
        #expect(two.depends == one.buildID)
        #expect(two.xenDepends == one.xenDepends)
        // Replaced again, at the hypervisor's address, and compared with the first payload's version.
        #expect(two.functions.map(\.name) == ["f"] && two.functions[0].oldAddress == one.functions[0].oldAddress)
        #expect(two.verifiedFunctions == 1)
    }

    @Test func aVariableOfThePayloadBelowIsUsed() async throws {
        let layers = try await stack([Self.base, Self.first, Self.first.replacing("sink(0); return x * 1000033", with: "return x * 1000033 + count")])
        let brought = try names(layers[0]).defined.filter { $0.contains("count") }
        #expect(brought.count == 1)
        #expect(try names(layers[1]).undefined == brought)
        #expect(layers[1].outcome.payload?.companions.isEmpty == true)
    }

    @Test func aFunctionOfThePayloadBelowIsReplaced() async throws {
        let layers = try await stack([
            Self.base, Self.first, Self.first.replacing("x + ++count", with: "x + ++count * 3"), Self.first.replacing("x + ++count", with: "x + ++count * 5"),
        ])
        let helper = try #require(try names(layers[0]).defined.first { $0.contains("helper") })
        for layer in layers.dropFirst() {
            let payload = try #require(layer.outcome.payload, "\(layer.outcome.diagnostics)")
            #expect(payload.functions.map(\.name) == [helper])
            // The loader looks it up.
            #expect(payload.functions[0].oldAddress == nil && payload.functions[0].payload == "step-1")
            #expect(payload.verifiedFunctions == 1)
        }
    }

    /// The payload was made from another patch than the one that is given: what it brought shows that.
    @Test(arguments: [("return x + ++count", "return x + 7 + ++count"), ("static u32 count;", "static u32 count = 7;")])
    func anotherPatchThanThatOfThePayloadIsSeen(given: String, made: String) async throws {
        try await withTemporaryFolder { folder in
            let next = Self.first.replacing("sink(0); return x * 1000033", with: "return helper(x) + count")
            let objects = try await compile([Self.base, Self.first.replacing(given, with: made), Self.first, next], in: folder)
            let image = try await ObjectFixtures.link([objects[0]], in: folder)
            let (version, architecture) = (XenVersion(major: 4, minor: 17), ArchX86_64())
            func link(_ from: Int, _ to: Int, onto running: RunningHypervisor, below: [ChangeSet]) throws -> LinkOutcome {
                try linkPayload(
                    [try ObjectFixtures.compare(objects[from], objects[to], name: "test.c")], onto: running, below: below, architecture: architecture,
                    options: LinkOptions(name: "step-\(to)", abi: .livepatchV2, xen: .ofFixtures))
            }
            func onTop(of state: Int) throws -> LinkOutcome {
                let first = try #require(try link(0, state, onto: RunningHypervisor(image), below: []).payload)
                let running = try loadStack(
                    [(FilePath("step-1.livepatch"), first.bytes)], onto: image, architecture: architecture, abi: .livepatchV2, version: version)
                return try link(2, 3, onto: running, below: [try ObjectFixtures.compare(objects[0], objects[2], name: "test.c")])
            }
            #expect(try !onTop(of: 1).unequal.isEmpty)
            let right = try onTop(of: 2)
            #expect(right.unequal.isEmpty && right.payload != nil, "\(right.diagnostics)")
        }
    }

    /// The assembler has filled in the distances within the section of boot code, and there no payload follows the patch.
    @Test func bootCodeThatThePatchBelowMovesIsNoOtherSource() async throws {
        func source(_ more: String, _ f: Int, _ g: Int) -> String {
            """
            #define BOOT __attribute__((section(".init.text"))) noinline
            static BOOT u32 a(u32 x) { sink(0);\(more) return x * 3; } static BOOT u32 b(u32 x) { sink(0); return a(x) * 5; }
            BOOT u32 c(u32 x) { return b(x) + a(x); } u32 f(u32 x) { sink(0); return x * \(f); } u32 g(u32 x) { sink(0); return x * \(g); }
            """
        }
        let layers = try await stack([source("", 1_000_003, 7), source(" sink(&a); x++;", 1_000_005, 7), source(" sink(&a); x++;", 1_000_005, 9)])
        let payload = try #require(layers.last?.outcome.payload, "\(layers.map(\.outcome.diagnostics))")
        #expect(layers.count == 2 && payload.functions.map(\.name) == ["g"])
    }

    @Test func whatThePayloadBelowMadeOfAConstantCounts() async throws {
        func source(_ value: Int, _ n: Int) -> String {
            "static const u32 table[64] = { \(value), 2, 3 }; u32 f(u32 x) { sink(0); return table[x & 63] * 1000003; }\n"
                + "u32 g(u32 x) { sink(0); return table[(x + \(n)) & 63] + x * 1000033; }"
        }
        let layers = try await stack([source(1, 0), source(9, 0), source(9, 5)])
        let brought = try #require(try names(layers[0]).defined.first { $0.contains("table") }, "\(layers[0].outcome.diagnostics)")
        #expect(try names(layers[1]).undefined.contains(brought))
    }

    // MARK: Hooks

    private static func hook(_ number: Int, _ kind: String = "load") -> String {
        "static void h(void) { sink((void *)\(number)L); } static void *p __attribute__((used, section(\".livepatch.hooks.\(kind)\"))) = h;\n"
    }

    private func hooks(_ layer: Layer) throws -> [String] {
        let payload = try #require(layer.outcome.payload, "\(layer.outcome.diagnostics)")
        return try ELFFile(bytes: payload.bytes, name: "payload").sections.map(\.name).filter { $0.hasPrefix(".livepatch.hooks.") }
    }

    @Test func aHookOfThePayloadBelowIsNotCalledOnceMore() async throws {
        let layers = try await stack([
            Self.base, Self.base + Self.hook(7), Self.base.replacing("1000003", with: "1000005") + Self.hook(7),
        ])
        #expect(try hooks(layers[0]) == [".livepatch.hooks.load"])
        #expect(try hooks(layers[1]).isEmpty)
        #expect(layers[1].outcome.payload?.functions.map(\.name) == ["f"])
        let same = try await stack([Self.base, Self.base + Self.hook(7), Self.base + Self.hook(7)])
        #expect(same[1].outcome.payload == nil && same[1].outcome.diagnostics.isEmpty)
    }

    @Test func aChangedHookOfThePayloadBelowIsReplacedThereAndNamed() async throws {
        let layers = try await stack([Self.base, Self.base + Self.hook(7), Self.base + Self.hook(9)])
        #expect(try hooks(layers[1]).isEmpty)
        #expect(layers[1].outcome.payload?.functions.map(\.payload) == ["step-1"])
        #expect(layers[1].outcome.diagnostics.map(\.id) == [.hookKept])
        #expect(layers[1].outcome.diagnostics.map(\.severity) == [.warning])
    }

    @Test func aHookOfAnotherKindComesAlong() async throws {
        let layers = try await stack([Self.base, Self.base + Self.hook(7), Self.base + Self.hook(7, "unload")])
        #expect(try hooks(layers[1]) == [".livepatch.hooks.unload"])
    }

    @Test(arguments: [true, false])
    func anotherPayloadThanThePatchesMadeIsFound(knowingPatches: Bool) async throws {
        try await withTemporaryFolder { folder in
            let states = [Self.base, Self.first, Self.base.replacing("1000003", with: "1000007"), Self.base.replacing("1000003", with: "1000009")]
            let objects = try await compile(states, in: folder)
            let image = try await ObjectFixtures.link([objects[0]], in: folder)
            func link(_ from: Int, _ to: Int, on running: RunningHypervisor, below: [ChangeSet] = []) throws -> LinkOutcome {
                try linkPayload(
                    [try ObjectFixtures.compare(objects[from], objects[to], name: "test.c")], onto: running, below: below,
                    architecture: ArchX86_64(), options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            }
            let applied = try #require(try link(0, 1, on: RunningHypervisor(image)).payload)
            let running = try loadStack(
                [("applied.livepatch", applied.bytes)], onto: image, architecture: ArchX86_64(), abi: .livepatchV2,
                version: XenVersion(major: 4, minor: 17))
            let below = knowingPatches ? [try ObjectFixtures.compare(objects[0], objects[2], name: "test.c")] : []
            let outcome = try link(2, 3, on: running, below: below)
            #expect(outcome.payload == nil)
            #expect(outcome.unequal.map(\.payload) == ["applied"])
            #expect(outcome.diagnostics.first { $0.id == .originalDiffers }?.message.contains("payload applied") == true)
        }
    }

    /// The first patch also changed boot code, which its payload does not have.
    @Test func whatAPayloadLeftOutIsNoOtherSource() async throws {
        let source = { (boot: Int, f: Int, g: Int) in
            "__attribute__((section(\".init.text\"))) u32 start(u32 x) { sink(0); return x * \(boot); } "
                + "u32 f(u32 x) { sink(0); return x * \(f); } u32 g(u32 x) { sink(0); return x * \(g); }"
        }
        let layers = try await stack([source(3, 3, 3), source(5, 5, 3), source(5, 5, 7)])
        #expect(layers.map { $0.outcome.payload?.functions.map(\.name) } == [["f"], ["g"]], "\(layers.last?.outcome.diagnostics ?? [])")
    }

    /// Not the function that is replaced, but one beside it is not what the applied payload made of it.
    @Test func aNeighbourThatAPayloadReplacedIsCompared() async throws {
        try await withTemporaryFolder { folder in
            let source = { (f: Int, g: Int) in "u32 f(u32 x) { sink(0); return x * \(f); } u32 g(u32 x) { sink(0); return x * \(g); }" }
            let objects = try await compile([source(3, 3), source(5, 3), source(3, 7), source(5, 7)], in: folder)
            let image = try await ObjectFixtures.link([objects[0]], in: folder)
            func link(_ from: Int, _ to: Int, on running: RunningHypervisor) throws -> LinkOutcome {
                try linkPayload(
                    [try ObjectFixtures.compare(objects[from], objects[to], name: "test.c")], onto: running,
                    below: [try ObjectFixtures.compare(objects[0], objects[1], name: "test.c")],
                    architecture: ArchX86_64(), options: LinkOptions(name: "test", abi: .livepatchV2, xen: .ofFixtures))
            }
            let applied = try #require(try link(0, 1, on: RunningHypervisor(image)).payload)
            let running = try loadStack(
                [("applied.livepatch", applied.bytes)], onto: image, architecture: ArchX86_64(), abi: .livepatchV2,
                version: XenVersion(major: 4, minor: 17))
            #expect(try link(1, 3, on: running).payload?.functions.map(\.name) == ["g"])
            let without = try link(0, 2, on: running)
            #expect(without.payload == nil && without.unequal.map(\.name) == ["f"] && without.unequal.map(\.payload) == ["applied"])
        }
    }

    @Test func aVariableWithoutANameIsRefused() async throws {
        let layers = try await stack(
            [Self.base, Self.first, Self.first.replacing("sink(0); return x * 1000033", with: "return x * 1000033 + count")], strip: true)
        #expect(layers[0].outcome.payload != nil)
        #expect(layers[1].outcome.payload == nil)
        #expect(layers[1].outcome.diagnostics.map(\.id) == [.dataNotInHypervisor])
    }

    @Test func payloadsInAnotherOrderAreRefused() async throws {
        let layers = try await stack([Self.base, Self.first, Self.first.replacing("1000003", with: "1000005")])
        let payloads = try layers.map { layer -> (path: FilePath, bytes: [UInt8]) in
            let payload = try #require(layer.outcome.payload)
            return (FilePath(payload.fileName), payload.bytes)
        }
        func load(_ payloads: [(path: FilePath, bytes: [UInt8])]) throws -> RunningHypervisor {
            try loadStack(
                payloads, onto: layers[0].running.image, architecture: ArchX86_64(), abi: .livepatchV2, version: XenVersion(major: 4, minor: 17))
        }
        #expect(try load(payloads).topBuildID == layers[1].outcome.payload?.buildID)
        #expect(throws: InputError.self) { try load([payloads[1]]) }
        #expect(throws: InputError.self) { try load([payloads[0], payloads[0]]) }
        #expect(throws: InputError.self) { try load([("cut.livepatch", Array(payloads[0].bytes.prefix(500)))]) }
    }
}
