import Diagnostics
import TestRig
import Testing

@Suite("the releases of Debian whose Xen the rig builds")
struct DebianXenTests {
    @Test("each is found by its name, and is of another version")
    func known() throws {
        for xen in DebianXen.all { #expect(try DebianXen.of(suite: xen.suite) == xen) }
        #expect(Set(DebianXen.all.map(\.version)).count == DebianXen.all.count)
    }

    @Test("an unknown one is a wrong argument, and the error says which are known")
    func unknown() {
        let error = #expect(throws: RigError.self) { try DebianXen.of(suite: "woody") }
        #expect(error?.message.contains("woody") == true)
        #expect(error?.help?.contains("bullseye") == true)
        #expect(error?.exitCode == .usage)
    }
}
