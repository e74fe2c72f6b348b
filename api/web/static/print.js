// The page to be filed: its one button.
document.getElementById("print").addEventListener("click", () => print());
