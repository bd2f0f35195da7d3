import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import XenSource
import XenVersions

@testable import CallGraph

/// Small hypervisors, in which everything that leads to a function is known.
@Suite struct CallGraphTests {
    private static let source = """
        struct ops { void (*first)(int); void (*second)(int); void (*third)(int); };
        struct notifier { int (*call)(int); long rank; };
        volatile int mark;
        static noinline void op_first(int x) { mark = x + 1; }
        static noinline void op_second(int x) { mark = x + 2; }
        static noinline void op_third(int x) { mark = x + 3; }
        static struct ops __initdata chosen = { op_first, op_second, op_third };
        static struct ops active;
        void (*idle)(int);
        noinline void open_softirq(int nr, void (*fn)(int)) { mark = nr; sink(fn); }
        noinline void register_cpu_notifier(struct notifier *n) { mark = n->rank; }
        noinline void on_selected_cpus(const void *mask, void (*fn)(int), int wait) { mark = wait; sink(fn); }
        static noinline void softirq_handler(int x) { mark = x + 4; }
        static noinline int processor_changes(int x) { return mark = x + 5; }
        static noinline void now(int x) { mark = x + 6; }
        static noinline void nap(int x) { mark = x + 7; }
        static noinline void given_away(int x) { mark = x + 8; }
        noinline void called_by_table(int x) { mark = x + 9; }
        noinline void unused(int x) { mark = x + 10; }
        noinline void only_for_unused(int x) { mark = x + 11; }
        noinline void caller_unused(void) { only_for_unused(1); mark = 1; }
        noinline void boot_helper(void) { mark = 12; }
        noinline void domain_helper(void) { mark = 13; }
        noinline void starts(void) { mark = 14; }
        static struct notifier notifier = { processor_changes, 3 };
        struct { char key; void (*fn)(int); } key_table[2] = { { 'a', called_by_table } };
        __init noinline void setup(void) { active = chosen; idle = nap; open_softirq(1, softirq_handler); register_cpu_notifier(&notifier); }
        __init void start_xen(void) { setup(); boot_helper(); active.third(1); mark = 0; }
        void idle_loop(void) { for ( ; ; ) idle(mark); }
        void do_IRQ(void) { active.second(1); mark = 2; }
        void handle_keypress(int key) { key_table[key].fn(key); mark = 3; }
        noinline void domain_create(void **p) { domain_helper(); *p = given_away; mark = 4; }
        long do_domctl(int op, void **p) { if ( op ) domain_create(p); return mark; }
        void start_secondary(void) { starts(); active.first(2); on_selected_cpus(0, now, 1); mark = 5; }
        """

    private static let targets: [ObjectFixtures.Target] = [.x86_64, .arm64, .arm32]

    private func effects(
        _ source: String, _ target: ObjectFixtures.Target, payloads: (XenImage) -> [AppliedPayload] = { _ in [] },
        _ body: ((String) throws -> CodeEffect) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let image = try await ObjectFixtures.link([try await ObjectFixtures.compile(source, for: target, in: folder)], for: target, in: folder)
            let reading = try HypervisorReading(of: image, architecture: target.architecture, version: .ofFixtures)
            let reachability = Reachability(try reading.graph(with: payloads(image)))
            try body { name in
                let place = try #require(reachability.graph.places.firstIndex { $0.names.contains(name) && $0.isCode }, "\(name)")
                return reachability.effect(of: place)
            }
        }
    }

    @Test(arguments: targets) func eachFunctionHasItsOccasion(_ target: ObjectFixtures.Target) async throws {
        try await effects(Self.source, target) { effect in
            let expected: [(name: String, verdict: CodeEffect.Verdict, occasions: [Occasion])] = [
                ("op_second", .runsOnItsOwn, [.interrupt]), ("op_first", .onlyOnEvent, [.processorUp]), ("op_third", .onlyAtBoot, [.boot]),
                ("softirq_handler", .runsOnItsOwn, [.softirq]), ("processor_changes", .onlyOnEvent, [.processorChange]),
                ("now", .onlyOnEvent, [.processorUp]), ("nap", .runsOnItsOwn, [.idle]), ("given_away", .onlyThroughPointer, []),
                ("called_by_table", .runsOnItsOwn, [.key]), ("unused", .never, []), ("only_for_unused", .never, []),
                ("boot_helper", .onlyAtBoot, [.boot]), ("domain_helper", .onlyOnEvent, [.domainCreation]), ("starts", .onlyOnEvent, [.processorUp]),
                ("do_domctl", .runsOnItsOwn, [.control]), ("domain_create", .onlyOnEvent, [.domainCreation]),
            ]
            // On arm32, code takes the address of a variable to read one word of it: any word of it may be meant.
            let isExact = target.architecture.name != "arm32"
            for (name, verdict, occasions) in expected where isExact || !["op_first", "op_third"].contains(name) {
                let found = try effect(name)
                #expect(found.verdict == verdict && found.occasions == occasions, "\(name): \(found)")
            }
        }
    }

    /// What boot code gives to others stays in use, whatever else boot code does with it: puts pointers into it, or copies it elsewhere.
    @Test(arguments: targets) func whatBootCodeGivesAwayMayBeCalledLater(_ target: ObjectFixtures.Target) async throws {
        let source =
            Self.source.replacing("setup(); boot_helper();", with: "setup(); boot_helper(); setup_list(&list); setup_descriptor(&descriptor, 1);")
            .replacing(
                "__init void start_xen",
                with: """
                    struct leaf { struct leaf *next; void (*write)(int); long size; };
                    static noinline void write_leaf(int x) { mark = x + 15; }
                    static noinline void handle_first(int x) { mark = x + 16; }
                    static noinline void handle_second(int x) { mark = x + 17; }
                    static noinline void handle_third(int x) { mark = x + 18; }
                    static struct leaf leaf = { 0, write_leaf, 3 }, other_leaf = { 0, 0, 4 };
                    struct leaf *list; struct ops *descriptor; struct ops copy;
                    static struct ops handlers = { handle_first, handle_second, handle_third };
                    static noinline void add_leaf(struct leaf **list, struct leaf *l) { l->next = *list; *list = l; mark = 19; }
                    __init noinline void setup_list(struct leaf **list) { leaf.next = &other_leaf; add_leaf(list, &leaf); }
                    __init noinline void setup_copy(void) { copy = handlers; }
                    __init noinline void setup_descriptor(struct ops **p, int x) { setup_copy(); p[x] = &handlers; }
                    __init void start_xen
                    """)
        try await effects(source, target) { effect in
            // On arm32 any word of a structure may be meant.
            let isExact = target.architecture.name != "arm32"
            for name in ["write_leaf", "handle_first", "handle_third"] {
                let found = try effect(name)
                #expect(found.verdict == .onlyThroughPointer || (!isExact && found.verdict == .runsOnItsOwn), "\(name): \(found)")
            }
        }
    }

    @Test func theWayToAFunctionSaysHowEachStepLeadsToTheNext() async throws {
        try await effects(Self.source, .x86_64) { effect in
            let first = try effect("op_first").way
            #expect(first.map(\.name) == ["start_secondary", "op_first"])
            #expect(first.map(\.link) == [nil, .through(variable: "active")])
            let handler = try effect("softirq_handler").way
            #expect(handler.map(\.name) == ["setup", "softirq_handler"])
            #expect(handler.last?.link == .registers(.softirq, with: "open_softirq"))
            let away = try effect("given_away").way
            #expect(away.map(\.name) == ["domain_create", "given_away"] && away.last?.link == .takes)
            #expect(try effect("unused").way.isEmpty)
        }
    }

    /// Names of occasions are not enough: a hypervisor without them is not judged.
    @Test func aHypervisorWhoseBeginningsAreUnknownIsNotJudged() async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile("volatile int mark; void foo(void) { mark = 1; }", in: folder)
            let image = try await ObjectFixtures.link([object], in: folder)
            let reading = try HypervisorReading(of: image, architecture: ObjectFixtures.Target.x86_64.architecture, version: .ofFixtures)
            let foo = try #require(image.global("foo"))
            let payload = Self.payload(replacing: foo, by: [0xC3])
            #expect(try functionEffects(of: payload, on: RunningHypervisor(image), reading) == nil)
        }
    }

    /// A payload whose new code for one function calls another: `call rel32; ret`.
    private static func payload(replacing function: XenImage.Symbol, by code: [UInt8]) -> AppliedPayload {
        let place = function.address + 0x100000
        return AppliedPayload(
            path: "fix.livepatch", buildID: [1], symbols: [],
            replacements: [.init(name: function.name, oldAddress: function.address, newAddress: place, newSize: UInt64(code.count))], patches: [],
            hooks: [], memory: [(place, code)], addresses: [:], text: place..<place + 0x1000, end: place + 0x1000)
    }

    private static func call(_ target: XenImage.Symbol, from place: UInt64) -> [UInt8] {
        let distance = UInt32(truncatingIfNeeded: target.address &- place &- 5)
        return [0xE8] + (0..<4).map { UInt8(truncatingIfNeeded: distance >> (8 * $0)) } + [0xC3]
    }

    @Test func newCodeCountsInsteadOfTheCodeThatItReplaces() async throws {
        func payloads(_ image: XenImage) -> [AppliedPayload] {
            guard let interrupt = image.global("do_IRQ"), let unused = image.global("unused") else { return [] }
            return [Self.payload(replacing: interrupt, by: Self.call(unused, from: interrupt.address + 0x100000))]
        }
        try await effects(Self.source, .x86_64, payloads: payloads) { effect in
            let found = try effect("unused")
            #expect(found.verdict == .runsOnItsOwn && found.way.map(\.name) == ["do_IRQ", "unused"])
            // The old code was the only one that read this pointer.
            #expect(try effect("op_second").verdict == .onlyAtBoot)
        }
    }

    @Test func functionsOfOneVerdictShareAWarning() {
        func effect(_ name: String, _ verdict: CodeEffect.Verdict, _ occasions: [Occasion]) -> FunctionEffect {
            FunctionEffect(name: name, effect: CodeEffect(verdict: verdict, occasions: occasions, way: [.init(name: "start_secondary"), .init(name: name)]))
        }
        let list = [
            effect("a", .onlyOnEvent, [.processorUp, .suspend]), effect("b", .runsOnItsOwn, [.hypercall]), effect("c", .onlyOnEvent, [.suspend, .processorUp]),
            effect("d", .never, []), effect("e", .onlyAtBoot, [.boot]), effect("f", .onlyThroughPointer, []),
        ]
        let found = list.diagnostics
        #expect(found.map(\.id) == [.takesEffectLater, .neverReached, .onlyAtBoot])
        #expect(
            found.first?.message
                == "'a', 'c' run only when a processor comes up, or when the machine is suspended or resumes (start_secondary → a): "
                + "what is set up already keeps what the old code did")
    }
}
