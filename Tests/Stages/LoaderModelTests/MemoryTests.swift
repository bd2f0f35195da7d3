import ELFModel
import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// Where the sections of a payload go, and what is read that is not there.
@Suite struct MemoryTests {
    @Test("nothing to load is no error, but then everything is read through null pointers")
    func nothingIsLoaded() async throws {
        var payload = SamplePayload()
        payload.text = payload.text.replacing("\"ax\", %progbits", with: "\"\", %progbits")
        let source = payload.source.replacing(", \"aw\"", with: ", \"\"").replacing(", \"a\"", with: ", \"\"")
        let bytes = try await assemble(source)
        let result = load(bytes)
        #expect(result.crashes("read through a null pointer") && !result.ruinsLater)
        // Later loaders read from the file, and use it when it is gone.
        #expect(load(bytes, minor: 20).crashes || load(bytes, minor: 20).refusal?.step == .functions)
    }

    @Test("what is not loaded is read from the file, which is gone afterwards, since Xen 4.20")
    func readFromTheFile() async throws {
        let source = SamplePayload().source.replacing(".section .livepatch.depends, \"a\"", with: ".section .livepatch.depends, \"\"")
        let bytes = try await assemble(source)
        #expect(load(bytes, minor: 17).crashes("null pointer") && !load(bytes, minor: 17).ruinsLater)
        #expect(load(bytes, minor: 20).crashes("when the file is gone") && load(bytes, minor: 20).ruin == .apply)
    }

    @Test("an alignment of 0 where nothing else is")
    func alignmentOfZero() async throws {
        let good = try await SamplePayload().assembled()
        let text = try header(good) { $0.name == ".text.new_victim" }
        let result = load(with(UInt64(0), at: text + 48, good))
        #expect(result.isAccepted && !result.has(.zeroAlignment))
    }

    @Test("a large alignment takes memory, but nothing fills it")
    func largeAlignment() async throws {
        let good = try await SamplePayload().assembled()
        let first = try header(good) { $0.name == ".text.new_victim" }, second = try header(good) { $0.name == ".livepatch.xen_depends" }
        #expect(load(with(UInt64(128 << 20), at: first + 48, good)).findings.map(\.kind) == [.notReappliable])
        let large = load(with(UInt64(128 << 20), at: second + 48, good))
        #expect(large.isAccepted && large.has(.largeMemory))
        #expect(load(with(UInt64(4 << 30), at: second + 48, good)).isRefused(.layout, .outOfMemory, "pages of memory"))
    }

    @Test("a note whose name has an odd size: the id is read behind the section")
    func oddNote() async throws {
        func payload(_ size: Int) async throws -> LoadResult {
            var payload = SamplePayload()
            // The name takes eight bytes then, and the check of the sizes does not count its padding.
            payload.depends = """
                .section .livepatch.depends, "a", %note
                .long \(size), 20, 3
                .asciz "GNU"
                .long 0
                .byte 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
                .section .rodata.behind, "a"
                .byte 18, 19, 20
                """
            return load(try await payload.assembled())
        }
        let result = try await payload(5)
        #expect(result.isAccepted && result.depends == Array(1...20))
        #expect(try await payload(6).isRefused(.notes, .invalid, logged: false, "sizes"))
    }
}
