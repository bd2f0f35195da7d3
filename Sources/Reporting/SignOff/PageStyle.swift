import Crypto
import FoundationEssentials

/// The classes of the style sheet.
package enum CSSClass: String, Sendable {
    case good, bad, warn, note, faint, badge, badges, scroll, listing, removed, added, changed, same, fold, source, number, word, node, leaf, edge
}

/// The look of all pages, light and dark, on a screen and on paper.
enum PageStyle {
    /// The hash of the style sheet, as a content policy names it: only this one may count (CSP level 3, 2.3.1).
    static var hash: String { "sha256-" + Data(SHA256.hash(data: Array("\(sheet)".utf8))).base64EncodedString() }

    static let sheet: StaticString = """
        :root{color-scheme:light dark;--ink:#1b1b1b;--faint:#595959;--paper:#fff;--box:#f4f4f2;--line:#c9c9c4;--good:#0b6b2e;--bad:#a8131f;--warn:#7a4b00;
        --note:#1d4f91;--add:#e2f5e5;--del:#fde7e7;--chg:#fff3d1;--link:#0b4f9e}
        @media (prefers-color-scheme:dark){:root{--ink:#e8e8e4;--faint:#b0b0aa;--paper:#161718;--box:#212325;--line:#4a4d50;--good:#7fdc9b;--bad:#ff9a9a;
        --warn:#f2c46d;--note:#9cc7ff;--add:#143420;--del:#421c1f;--chg:#3d3211;--link:#9cc7ff}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}
        h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
        h3{font-size:1rem;margin:1.25rem 0 .25rem}
        p{margin:.5rem 0}
        a{color:var(--link)}
        code,pre,table.listing,svg text{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.85rem}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:.5rem 0;padding:0}
        .badges{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:.5rem 0;padding:0}
        .badge{border:2px solid currentColor;border-radius:.4rem;padding:.1rem .6rem;font-weight:600}
        .good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.note{color:var(--note)}.faint{color:var(--faint)}
        dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.15rem 1rem;margin:.5rem 0}
        dt{color:var(--faint)}dd{margin:0}
        @media (max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}
        table{border-collapse:collapse;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.2rem .6rem;border-bottom:1px solid var(--line)}
        tbody th{font-weight:400}
        tbody tr:last-child td,tbody tr:last-child th{border-bottom:0}
        td pre{margin:0}
        td code{white-space:nowrap}
        caption{text-align:left;color:var(--faint);padding:.25rem .6rem}
        td.number,th.number{text-align:right;white-space:nowrap}
        .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem;background:var(--box);margin:.5rem 0}
        .scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
        .scroll table{min-width:56rem}
        .scroll th,.scroll td{overflow-wrap:break-word}.scroll td code{white-space:normal;overflow-wrap:anywhere}
        .scroll pre{margin:0;padding:.5rem;min-width:max-content}
        pre span{display:block;padding:0 .5rem;margin:0 -.5rem;white-space:pre}
        .listing{width:max-content;min-width:100%}
        .listing th,.listing td{border:0;padding:0 .6rem;white-space:pre;overflow-wrap:normal}
        .listing .number{color:var(--faint)}
        .listing .source td,.listing .fold td{color:var(--faint);padding-top:.3rem}
        .added{background:var(--add)}.removed{background:var(--del)}.changed{background:var(--chg)}
        mark{background:none;color:inherit;font-weight:700;text-decoration:underline}
        details{margin:.5rem 0}
        summary{cursor:pointer;padding:.2rem 0}
        svg{display:block;margin:.5rem;max-width:none}
        svg text{fill:var(--ink)}
        svg .edge{fill:none;stroke:var(--faint);stroke-width:1.5}
        svg .node{fill:var(--paper);stroke:var(--line)}
        svg .leaf{fill:var(--chg);stroke:var(--warn)}
        svg .word{fill:var(--faint)}
        ul,ol{padding-left:1.25rem;margin:.5rem 0}
        footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--faint)}
        @media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}.scroll{overflow:visible}.scroll table{min-width:0}
        .listing td,.scroll pre,pre span{white-space:pre-wrap;min-width:0}.listing{width:100%}h2,summary{break-after:avoid}tr{break-inside:avoid}
        details::details-content{display:block;content-visibility:visible}*{print-color-adjust:exact}}
        """
}
