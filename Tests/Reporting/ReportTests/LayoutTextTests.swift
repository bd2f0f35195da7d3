import Diagnostics
import ObjectDiff
import Report
import Testing

@Suite struct LayoutTextTests {
    private func place(_ byte: UInt64, _ bytes: UInt64, _ type: String) -> LayoutChange.Place {
        LayoutChange.Place(bitOffset: byte * 8, bitSize: bytes * 8, type: type)
    }

    private var domain: LayoutChange {
        LayoutChange(
            type: "struct domain", location: SourceLocation(file: "include/xen/sched.h", line: 367), outcome: .refused,
            oldSize: 2048, newSize: 2056,
            members: [
                .init(name: "count", change: .new, old: nil, new: place(8, 8, "unsigned long int")),
                .init(name: "next_in_list", change: .moved, old: place(8, 8, "struct domain *"), new: place(16, 8, "struct domain *")),
                .init(name: "handle", change: .resized, old: place(16, 16, "u8[16]"), new: place(24, 20, "u8[20]")),
                .init(
                    name: "is_dying", change: .retyped, old: .init(bitOffset: 403, bitSize: 2, isBitField: true, type: "u8"),
                    new: .init(bitOffset: 403, bitSize: 2, isBitField: true, type: "enum dying_state_with_a_really_long_name")),
                .init(name: "gone", change: .removed, old: place(60, 4, "int"), new: nil),
            ],
            unchanged: 141, alsoChanged: ["struct pair"],
            users: .init(outsideCount: 2214, outside: ["domain_create", "vcpu_create"], inPayload: 3, variables: ["domain_list"]))
    }

    @Test func table() {
        #expect(
            LayoutText.render(domain, style: TextStyle(width: 80)) == """
                     size 2,048 → 2,056 bytes
                     member         before         after
                     count          –              8, 8 bytes     new: unsigned long int
                     next_in_list   8, 8 bytes     16, 8 bytes    moved
                     handle         16, 16 bytes   24, 20 bytes   resized: u8[16] → u8[20]
                     is_dying       50.3, 2 bits   50.3, 2 bits
                       retyped: u8 → enum dying_state_with_a_really_long_name
                     gone           60, 4 bytes    –              removed
                     … 141 unchanged
                  changes along, as it contains this: struct pair
                  2,214 functions that this payload does not replace use it: domain_create,
                    vcpu_create and 2,212 more
                  variables that hold it or point to it: domain_list
                """)
    }

    @Test func enumerators() {
        let change = LayoutChange(
            type: "enum state", outcome: .refused, oldSize: 4, newSize: 4,
            enumerators: [.init(name: "NEW", old: nil, new: 1), .init(name: "OLD", old: 1, new: 2), .init(name: "GONE", old: 3, new: nil)],
            unchanged: 1, users: .init(inPayload: 2))
        #expect(
            LayoutText.render(change, style: TextStyle()) == """
                     value   before   after
                     NEW     –        1       new
                     OLD     1        2       changed
                     GONE    3        –       removed
                     … 1 unchanged
                  all 2 functions that debug info knows to use it would be replaced
                """)
    }

    @Test("where debug info knows no user, nothing is said about all of them") func noKnownUser() {
        let change = LayoutChange(
            type: "enum state", outcome: .refused, oldSize: 4, newSize: 4, enumerators: [.init(name: "OLD", old: 1, new: 2)], unchanged: 0,
            users: .init(inPayload: 0))
        let text = LayoutText.render(change, style: TextStyle())
        #expect(text.contains("debug info names no function that uses it") && !text.contains("all 0"))
    }

    /// What has moved because something else did is counted, not listed.
    @Test func manyRows() {
        var change = domain
        change.members += (0..<200).map {
            .init(name: "member_\($0)", change: .moved, old: place(100 + $0, 1, "bool"), new: place(108 + $0, 1, "bool"))
        }
        let lines = LayoutText.render(change, style: TextStyle(width: 80)).split(separator: "\n")
        #expect(lines.count < 40)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.contains { $0.contains("more moved, 141 unchanged") })
        #expect(lines.contains { $0.contains("gone") })
    }

    @Test func namesFromFilesCannotSteerTheTerminal() {
        var change = domain
        change.members[0].name = "a\u{1b}[31m"
        change.users?.outside = ["f\u{1b}[2J"]
        change.alsoChanged = ["struct \u{1b}"]
        #expect(!LayoutText.render(change, style: TextStyle()).contains("\u{1b}"))
        let plain = LayoutText.render(domain, style: TextStyle(unicode: false))
        #expect(plain.allSatisfy { $0.isASCII })
    }

    @Test func diagnosticsGetTheTableOfTheirType() {
        let diagnostic = Diagnostic(.layoutChanged, symbol: "struct domain", location: domain.location, message: "'struct domain' has another layout")
        let other = Diagnostic(.dataSizeChanged, symbol: "struct domain", location: domain.location, message: "x")
        #expect(DiagnosticText.render([diagnostic], layouts: [domain], style: TextStyle()).contains("next_in_list"))
        #expect(!DiagnosticText.render([other], layouts: [domain], style: TextStyle()).contains("next_in_list"))
    }
}
