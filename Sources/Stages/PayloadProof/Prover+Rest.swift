import LoaderModel
import XenVersions

// What the payload holds beside what its code reaches.
extension Prover {
    /// Functions and variables must not lie over each other. Constants may share bytes.
    mutating func checkOverlaps() {
        let sorted = places.sorted { ($0.value, $0.key.piece) < ($1.value, $1.key.piece) }
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.value &+ UInt64(piece(first.key).range.count) > second.value {
            fail(.variable, title(second.key), "it lies over '\(title(first.key))' in the payload")
        }
    }

    /// Every byte of the payload must have been explained, except for what fills gaps, and for what the hypervisor reads as text about the
    /// payload.
    mutating func checkLeftovers() {
        explainNotes()
        let architecture = self.architecture
        let left = payload.leftovers { bytes, most, section in
            section.region == .text ? bytes.allSatisfy { $0 == architecture.textFiller } : UInt64(bytes.count) <= most && bytes.allSatisfy { $0 == 0 }
        }
        for leftover in left {
            fail(.unexplained, leftover.section.name, at: leftover.range.lowerBound, "nothing explains \(leftover.range.count) bytes of the payload")
        }
    }

    private mutating func explainNotes() {
        let ids =
            [(input.abi.dependsSection, input.claim.depends ?? input.running.topBuildID), (input.abi.buildIDSection, input.loaded.buildID)]
            + (input.abi.xenDependsSection.map { [($0, input.running.image.buildID)] } ?? [])
        for section in payload.sections {
            if let id = ids.first(where: { $0.0 == section.name })?.1 {
                if BuildIDNote.serialise(id) != section.bytes {
                    fail(.unexplained, section.name, "it is not the note of the build-id that is meant, and nothing else")
                }
                payload.explain(section.address, count: section.bytes.count)
            } else if section.name == input.abi.metadataSection {
                payload.explain(section.address, count: section.bytes.count)
            }
        }
    }
}
