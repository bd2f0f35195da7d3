import CodeListing
import Diagnostics
import SignOff
import XenBuild

/// More functions than anybody reads.
private let listedFunctions = 300

/// Lists the instructions of the functions that differ in some objects.
///
/// - Parameter texts: the lines of the sources, if these are known.
/// - Returns: the listings, or why there are none: a page without them is still worth having.
/// - Throws: `CancellationError`.
package func listCode(_ objects: [ListedObject], by disassembler: Disassembler, jobs: Int, texts: SourceTexts? = nil) async throws -> SignOffPage.Code {
    // Of the functions behind the last that is shown only the number counts.
    var room = listedFunctions, shown: [(object: ListedObject, limit: Int)] = []
    for object in objects where object.functionCount > 0 && room > 0 {
        shown.append((object, min(room, object.functionCount)))
        room -= min(room, object.functionCount)
    }
    let omitted = objects.reduce(0) { $0 + $1.functionCount } - (listedFunctions - room)
    do {
        var listings = try await inParallel(shown, limit: jobs) { try await $0.object.listings(by: disassembler, limit: $0.limit) }.flatMap(\.self)
        if let texts { for index in listings.indices { listings[index].addSources(original: texts.original, patched: texts.patched) } }
        return SignOffPage.Code(listings: listings, omitted: omitted)
    } catch let error as any ExplainedError {
        return SignOffPage.Code(omitted: omitted, problem: error.message)
    }
}
