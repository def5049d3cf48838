/// Style and script of the HTML report.
enum HTMLParts {
    /// Colours by scheme, layout for any width.
    static let style = """
        :root{color-scheme:light dark;--ground:#f6f5f1;--card:#fff;--ink:#1d2321;--soft:#5b6663;--line:#dcdad2;
        --pass:#1a7f4b;--fail:#c02b2b;--warn:#9a6700;--skip:#57727c;--blocked:#2f5fa8;--error:#8a3ba8;--code:#efede6}
        @media(prefers-color-scheme:dark){:root{--ground:#121615;--card:#1b2120;--ink:#e6ebe8;--soft:#9aa8a3;--line:#2e3735;
        --pass:#4cc38a;--fail:#ff7b72;--warn:#e3b341;--skip:#8fa8b2;--blocked:#7aa7f0;--error:#d2a8ff;--code:#131918}}
        *{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
        font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        header,main{max-width:64rem;margin:0 auto;padding:0 1rem}header{padding-top:1.2rem}
        h1{font-size:1.35rem;margin:0;font-weight:600}h1 span{overflow-wrap:anywhere;font-weight:700}
        .facts{margin:.2rem 0 .8rem;color:var(--soft);font-size:.9rem}
        .bar{display:flex;height:.6rem;border-radius:.3rem;overflow:hidden;gap:2px}.bar i{min-width:3px}
        .pass{--c:var(--pass)}.fail{--c:var(--fail)}.warn{--c:var(--warn)}.skip{--c:var(--skip)}.blocked{--c:var(--blocked)}.error{--c:var(--error)}
        .bar i{background:var(--c)}
        .filters{display:flex;flex-wrap:wrap;gap:.4rem;margin:.8rem 0 1rem}
        .chip{font:inherit;font-size:.88rem;padding:.25rem .7rem;border-radius:1rem;border:1px solid var(--line);
        background:transparent;color:var(--soft);cursor:pointer}
        .chip[aria-pressed=true]{background:var(--card);color:var(--c,var(--ink));border-color:var(--c,var(--soft))}
        .chip:disabled{opacity:.4;cursor:default}.chip:focus-visible,summary:focus-visible,input:focus-visible{outline:2px solid var(--skip);outline-offset:2px}
        #search{font:inherit;font-size:.9rem;flex:1 1 12rem;min-width:0;padding:.25rem .7rem;border:1px solid var(--line);border-radius:1rem;
        background:var(--card);color:var(--ink)}
        .section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:0 0 .6rem;overflow:hidden}
        .section>summary{display:flex;align-items:center;gap:.6rem;padding:.55rem .8rem;cursor:pointer;list-style:none}
        .section>summary::-webkit-details-marker,.check>summary::-webkit-details-marker{display:none}
        h2{font-size:1rem;margin:0;flex:1;font-weight:600}.counts{display:flex;gap:.3rem}
        .count{font-size:.8rem;min-width:1.7rem;text-align:center;padding:.05rem .35rem;border-radius:.8rem;color:var(--c);border:1px solid var(--c)}
        .check{border-top:1px solid var(--line)}
        .check>summary{display:grid;grid-template-columns:4.4rem minmax(0,22rem) 4.2rem minmax(0,1fr);gap:.1rem .6rem;
        padding:.4rem .8rem;cursor:pointer;align-items:baseline;list-style:none;font-size:.92rem}
        .check>summary:hover{background:var(--code)}
        .verdict{color:var(--c);font-weight:700;font-size:.82rem;text-transform:uppercase;letter-spacing:.03em}
        code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.82rem}
        code{overflow-wrap:anywhere}.level{color:var(--soft);font-size:.75rem}.gist{color:var(--soft);overflow-wrap:anywhere}
        .detail{padding:.1rem .8rem .7rem 4.6rem;font-size:.9rem}.detail p{margin:.2rem 0}.section-name{color:var(--soft)}
        dl{display:grid;grid-template-columns:5rem minmax(0,1fr);gap:.2rem .5rem;margin:.4rem 0}dt{color:var(--soft)}
        dd{margin:0;overflow-wrap:anywhere}
        .fold{margin:.35rem 0}.fold summary{cursor:pointer;color:var(--soft);overflow-wrap:anywhere}
        .fold details{margin:.2rem 0 .2rem .8rem}.shown>summary{color:var(--fail)}
        pre{background:var(--code);border:1px solid var(--line);border-radius:.4rem;padding:.6rem;overflow:auto;max-height:28rem;
        white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}
        .copy{font:inherit;font-size:.8rem;border:1px solid var(--line);background:var(--card);color:var(--ink);border-radius:.4rem;padding:.1rem .6rem;margin-top:.3rem}
        #nothing{color:var(--soft);text-align:center;padding:2rem}main{padding-bottom:3rem}
        @media(max-width:46rem){.check>summary{grid-template-columns:4.4rem minmax(0,1fr) auto}.gist{grid-column:2/-1}
        .detail{padding-left:.8rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.3rem}}
        """

    /// Filters by verdict, level and words; copies scripts.
    static let script = """
        (() => {
          const chips = [...document.querySelectorAll('.chip')], search = document.getElementById('search');
          const checks = [...document.querySelectorAll('.check')], sections = [...document.querySelectorAll('.section')];
          const words = new Map(checks.map(c => [c, c.querySelector('summary').textContent.toLowerCase()]));
          const apply = () => {
            const on = key => new Set(chips.filter(c => c.dataset[key] && c.ariaPressed === 'true').map(c => c.dataset[key]));
            const verdicts = on('verdict'), levels = on('level'), text = search.value.trim().toLowerCase();
            let shown = 0;
            for (const c of checks) {
              c.hidden = !(verdicts.has(c.dataset.verdict) && levels.has(c.dataset.level) && words.get(c).includes(text));
              if (!c.hidden) shown++;
            }
            for (const s of sections) {
              const any = [...s.querySelectorAll('.check')].some(c => !c.hidden);
              s.hidden = !any;
              if (text && any) s.open = true;
            }
            document.getElementById('nothing').hidden = shown > 0;
          };
          for (const chip of chips) chip.addEventListener('click', () => {
            const same = chips.filter(c => ('verdict' in c.dataset) === ('verdict' in chip.dataset));
            const pressed = same.filter(c => c.ariaPressed === 'true');
            if (pressed.length === same.length) same.forEach(c => c.ariaPressed = c === chip ? 'true' : 'false');
            else chip.ariaPressed = chip.ariaPressed === 'true' ? 'false' : 'true';
            if (!same.some(c => c.ariaPressed === 'true')) same.forEach(c => c.ariaPressed = 'true');
            apply();
          });
          search.addEventListener('input', apply);
          for (const b of document.querySelectorAll('.copy')) b.addEventListener('click', () => {
            navigator.clipboard.writeText(b.nextElementSibling.textContent).then(() => { b.textContent = 'Copied'; });
          });
        })();
        """
}
