import Diagnostics
import ObjectDiff
import ObjectFixtures
import Testing

/// Variables that the patched source still has, and whose running values the patched code does not see.
@Suite struct LostValueTests {
    private func diagnostics(_ marked: String) async throws -> [Diagnostic] { try await ObjectFixtures.compare(marked: marked).diagnostics }

    @Test(
        "the last write goes",
        arguments: [
            " static u32 v = 5;\n u32 g(void) { return v; }\n u32 f(u32 x) {\n-  v = x;\n   return x;\n }",
            " u32 f(u32 x) {\n   static u32 v = 5;\n   u32 y = v;\n-  v = x;\n+  sink(0);\n   return y + x;\n }",
            " u32 f(u32 x) {\n-  static u32 v = 5;\n+  static u32 v = 5, w;\n   u32 y = v;\n-  v = x;\n+  w = x;\n   return y + x;\n }",
            " u32 f(u32 x) {\n   if ( x ) {\n     static u32 v = 5;\n-    x = v++;\n+    x = v;\n   }\n   return x;\n }",
        ])
    func scalars(marked: String) async throws {
        let found = try await diagnostics(marked)
        #expect(found.map(\.id) == [.runningValueUnused] && found.first?.severity == .warning)
        #expect(found.first?.message.contains("'v'") == true && found.first?.message.contains("its initial value 5") == true, "\(found.first?.message ?? "")")
    }

    @Test func anArrayThatBecomesAConstant() async throws {
        let found = try await diagnostics(" static u32 v[4] = { 1, 2, 3 };\n u32 f(u32 x) {\n-  v[x & 3] = 7;\n+  sink(0);\n   return v[(x >> 2) & 3];\n }")
        #expect(found.map(\.id) == [.runningValueUnused] && found.first?.message.contains("'v'") == true)
    }

    @Test func aLocalArrayThatBecomesAConstant() async throws {
        let found = try await diagnostics(" u32 f(u32 x) {\n   static u32 v[4] = { 1, 2, 3 };\n-  v[x & 3] = 7;\n+  sink(0);\n   return v[(x >> 2) & 3];\n }")
        #expect(found.map(\.id) == [.runningValueUnused])
    }

    /// In other words, or from the file into the function: it may be meant to be the same.
    @Test(
        "the declaration moves in other words, and the last write goes",
        arguments: [
            " u32 f(u32 x) {\n-  static u32 v;\n   sink(f);\n   if ( x > 1 ) {\n+    static u32 v = 0;\n     x += v;\n-    v = x;\n   }\n   return x;\n }",
            "-static u32 v;\n u32 f(u32 x) {\n+  static u32 v;\n   sink(f);\n   x += v;\n-  v = x;\n   return x;\n }",
        ])
    func movedInOtherWords(marked: String) async throws {
        let found = try await diagnostics(marked)
        #expect(found.map(\.id) == [.runningValueUnused] && found.first?.message.contains("another way or place") == true, "\(found)")
    }

    @Test("the declaration moves to another block, where the last write goes") func movedDeclaration() async throws {
        let found = try await diagnostics(
            """
             u32 f(u32 x) {
            -  static u32 v = 5;
               sink(f);
               if ( x > 1 ) {
            +    static u32 v = 5;
                 x += v;
            -    v = x;
               }
               return x;
             }
            """)
        #expect(found.map(\.id) == [.runningValueUnused], "\(found)")
    }

    @Test(
        "the last read goes, the writes stay",
        arguments: [
            " static u32 v;\n u32 f(u32 x) {\n   v = x;\n-  return v * 2 + x;\n+  return x;\n }\n u32 g(u32 x) {\n-  return v++;\n+  return x;\n }",
            " u32 f(u32 x) {\n   static u32 v;\n-  x += v;\n   v = x;\n   return x;\n }",
        ])
    func writesOnly(marked: String) async throws {
        #expect(try await diagnostics(marked).map(\.id) == [.runningValueUnused])
    }

    @Test(
        "a declaration that goes, or that is no static one any more, is left behind",
        arguments: [
            "-static u32 v;\n u32 f(u32 x) {\n-  return v += x;\n+  return x;\n }",
            " u32 f(u32 x) {\n-  static u32 v;\n-  return v += x;\n+  u32 v = 3;\n+  return v + x;\n }",
        ])
    func leftBehind(marked: String) async throws {
        #expect(try await diagnostics(marked).map(\.id) == [.dataLeftBehind])
    }
}
