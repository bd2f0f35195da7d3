import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// Static variables of file level under a patch. Their names may come from macros.
@Suite struct FileLevelStaticTests {
    private struct Outcome {
        /// For each variable of the patched object the name of its twin; empty for a new one.
        var twins: [String: String] = [:]
        var ids: [String]
    }

    private func outcome(_ test: String) async throws -> Outcome {
        let set = try await ObjectFixtures.compare(marked: test)
        var outcome = Outcome(ids: set.diagnostics.map { "\($0.severity.rawValue) \($0.id.rawValue)" }.sorted())
        for record in set.records where record.item.kind == .data && record.item.role == .writable {
            outcome.twins[record.item.name] = set.twin(of: record.item.id)?.name ?? ""
        }
        return outcome
    }

    private static let events = """
         #define CAT_(a, b) a##b
         #define CAT(a, b) CAT_(a, b)
         #define EVENT_(fn, v) static u32 v; u32 fn(u32 n) { v += n; printk("event %u", v); return v * 3; }
         #define EVENT(fn) EVENT_(fn, CAT(events_, __COUNTER__))

        """

    @Test func theLineOfAMacroThatCountsIsTheTwin() async throws {
        let found = try await outcome(
            Self.events + """
                 u32 first;
                +EVENT(ev_open)
                 EVENT(ev_read)
                 u32 second;
                 EVENT(ev_write)
                """)
        #expect(found.twins.filter { $0.key.hasPrefix("events") } == ["events_0": "", "events_1": "events_0", "events_2": "events_1"], "\(found)")
        #expect(found.ids.filter { $0.hasPrefix("error") } == [])
    }

    /// Every name stays, and each stands for another variable.
    @Test func namesThatGoToOtherLinesDoNotCount() async throws {
        let found = try await outcome(
            Self.events + """
                -EVENT(ev_open)
                 EVENT(ev_read)
                 u32 second;
                 EVENT(ev_write)
                +EVENT(ev_close)
                """)
        #expect(found.twins["events_0"] == "events_1" && found.twins["events_1"] == "events_2" && found.twins["events_2"] != "events_2", "\(found)")
    }

    @Test func aNameInTheLineCounts() async throws {
        let found = try await outcome(
            """
            +static u32 fresh;
             static u32 old, older;
            -static u32 moved;
            +static u32 moved = 5;
            -u32 f(u32 x) { old += x; older -= x; moved++; return x; }
            +u32 f(u32 x) { old += x; older -= x; moved++; sink(&fresh); return x * old * older * moved; }
            """)
        #expect(found.twins.filter { $0.value != "" && $0.key != $0.value } == [:] && found.twins["fresh"] == "", "\(found)")
    }

    @Test func aMacroThatRenamesTheVariableLeavesItTheSame() async throws {
        let found = try await outcome(
            """
            +#define seen seen_count
             static u32 seen;
            -u32 f(u32 x) { printk("r"); return seen += x; }
            +u32 f(u32 x) { printk("R"); return seen += x; }
            """)
        #expect(found.twins == ["seen_count": "seen"], "\(found)")
        #expect(found.ids == ["warning correlation-ambiguous"])
    }

    @Test func anotherNameInTheSameDeclarationStartsAnew() async throws {
        let found = try await outcome(
            """
            -static u32 attempts;
            +static u32 failures;
            -u32 f(u32 x) { if ( attempts++ > 3 ) printk("locked"); return x; }
            +u32 f(u32 x) { if ( failures++ > 3 ) printk("locked out"); return x; }
            """)
        #expect(found.twins == ["failures": ""], "\(found)")
        #expect(found.ids == ["note data-left-behind", "warning variable-starts-anew"])
    }
}
