"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const listener = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");

  // Fisher–Yates, with numbers that cannot be guessed from one listener to the next.
  const shuffled = (items) => {
    const result = items.slice();
    for (let i = result.length - 1; i > 0; i--) {
      const j = crypto.getRandomValues(new Uint32Array(1))[0] % (i + 1);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  };

  const trials = shuffled(data.trials).slice(0, data.perListener || data.trials.length);
  const answers = new Map();
  let current = 0;

  const choicesOf = (question) => {
    if (question.kind === "mos") return question.scale.map((text, i) => [i + 1, `${i + 1} – ${text}`]);
    const pair = [[1, "First"], [2, "Second"]];
    return question.no_preference ? [...pair, [0, "No preference"]] : pair;
  };

  const show = () => {
    const trial = trials[current];
    const question = data.questions[trial.question];
    element("progress").textContent = `${current + 1} of ${trials.length}`;
    element("question").textContent = question.text;
    element("sounds").replaceChildren(...trial.sounds.map((file, i) => {
      const figure = document.createElement("figure");
      if (trial.sounds.length > 1) {
        const caption = document.createElement("figcaption");
        caption.textContent = i ? "Second" : "First";
        figure.append(caption);
      }
      const audio = document.createElement("audio");
      audio.controls = true;
      audio.preload = "auto";
      audio.src = "audio/" + file;
      audio.addEventListener("error", () => {
        const message = document.createElement("p");
        message.setAttribute("role", "alert");
        message.textContent = "This sound cannot be played here. Please tell whoever invited you.";
        audio.replaceWith(message);
      });
      // Only one sound at a time.
      audio.addEventListener("play", () => {
        for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      });
      figure.append(audio);
      return figure;
    }));
    const legend = element("choices").querySelector("legend");
    element("choices").replaceChildren(legend, ...choicesOf(question).map(([value, text]) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "radio";
      input.name = "answer";
      input.value = value;
      input.checked = answers.get(current) === value;
      input.addEventListener("change", () => {
        answers.set(current, value);
        element("next").disabled = false;
      });
      label.append(input, " ", text);
      return label;
    }));
    element("back").disabled = current === 0;
    element("next").disabled = !answers.has(current);
    element("next").textContent = current + 1 === trials.length ? "Finish" : "Next";
  };

  const rows = () => trials.map((trial, i) => ({
    listener, question: trial.question, sounds: trial.sounds, value: answers.get(i),
  }));

  // Answers are kept nowhere but in this page: ask before it is left with unsaved ones.
  let saved = false;
  addEventListener("beforeunload", (event) => {
    if (answers.size && !saved) event.preventDefault();
  });

  const finish = () => {
    element("trial").hidden = true;
    element("end").hidden = false;
    const json = JSON.stringify({ listener, answers: rows() }, null, 1);
    const csv = ["listener,question,sounds,value",
      ...rows().map((row) => [row.listener, row.question, row.sounds.join(" "), row.value].join(","))].join("\n") + "\n";
    for (const kind of ["json", "csv"]) {
      // Listeners send their files to one person: no two have the same name.
      element(kind).download = `answers-${listener}.${kind}`;
      element(kind).addEventListener("click", () => { saved = true; });
    }
    element("json").href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
    element("csv").href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  };

  element("begin").addEventListener("click", () => {
    element("start").hidden = true;
    element("trial").hidden = false;
    show();
  });
  element("back").addEventListener("click", () => { current -= 1; show(); });
  element("next").addEventListener("click", () => {
    if (current + 1 === trials.length) finish();
    else { current += 1; show(); }
  });
})();
