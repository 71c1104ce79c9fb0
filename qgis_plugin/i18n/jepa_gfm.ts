<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" sourcelanguage="en">
<context>
    <name>JepaGfm</name>
    <message>
        <source>{name} from a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Instead of the choice above.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} chooses {which} of the labels; mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} cannot be read ({reason}); mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} cannot be evaluated ({reason}); mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The labels {name} cannot be handed to the worker ({reason}); save the layer as a GeoPackage.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels from a raster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A raster whose values are classes, instead of polygons or points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Known values from a raster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A raster of the number, instead of points or polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the Sentinel-2 files at 10, 20 and 60 m of one place and run: every 20 m cell becomes a vector, and the layer shows its three strongest bands as colours.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the same files, or an embedding of them, a layer of polygons as labels and its class field, and run: the map opens with the classes&apos; names and colours, and the report with the scores.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the rasters of another year and the classifier that Classify land cover kept in a file, and run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draw three polygons around solar parks, choose them and an embedding of the county, and run: the places are a layer to step through, the surest first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the rasters before a storm and those after it, and run: what changed is a layer of polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose an embedding and run: each colour is a kind of ground that can be told apart.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose an embedding, a layer of forest plots and its field of canopy cover, and run: the map of cover opens with its interval, and the report with R² and RMSE.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a map and run: points open. Write what you see at each into the field reference, then run again with the points: the report tells the accuracies and the areas.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose an embedding and a layer of parcels, and run: each parcel has its statistics.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Similarity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clusters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons with statistics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check on the labels that the expression leaves out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs an expression for the labels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped; nothing was written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As a command:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As Python:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The labels were copied to {files}, which QGIS removes; to repeat the run, save the layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Outputs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Example</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels are missing; choose a layer of polygons or points, or a fitted classifier from a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Known values are missing; choose a layer of points or polygons, or a raster of the number.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} is not a raster file ({kind}); export it as a GeoTIFF and choose that.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The CRS of the grid is not known to QGIS; choose another one, in metres.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There are labels left out to check on only where an expression chooses some; give one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label and look</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label a few places and see the map at once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the new class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add a class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename the chosen class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colour…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change the colour of the chosen class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the chosen class with its examples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The keys 1 to 9 choose a class, F2 renames it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colour</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Examples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colour of {name}: {colour}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colour of {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is a class {name} already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write the whole map…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open Classify land cover with these rasters and labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The place at hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters to look at</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2 pixels of the finest raster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cell size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed the view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at what the canvas shows, in the background</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at all that the finest raster covers, in the background</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress of embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1. Rasters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click or draw examples of the chosen class; right click removes one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take back the last change of the labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Do again what was taken back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2. Labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label places of two classes to see a map.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Scores of the map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next place</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the next place that is worth a label</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next suspect</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the next label that looks like another class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give this label the class that it looks like</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>3. Map of the view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>More like this</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click what you look for; right click what is not meant</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Begin anew</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget the places that were clicked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How alike places must be, 0 to 100</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>At least</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Similar places</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embedded; label examples of each class.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disputed: perhaps {name} ({percent} %). What is it?</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labelled {labelled}, looks like {name}; its own class has {percent} %.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} has no example {fid}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The place lies outside the CRS of the layer {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a polygon</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a point</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>An example in the layer {name} is {what}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The drawn polygon has no area; draw it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no reason is given</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} cannot be written ({reason}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer of the labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field of the classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a new GeoPackage for labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels need a CRS; choose one for the project.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file {path} exists; choose another name, or open its layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file {path} cannot be written ({reason}); choose another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add class {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Merge class {old} into {new}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename class {old} to {new}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change the colour of class {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove class {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add an example of {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove an example of {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change an example from {old} to {new}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The example is not there any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no class {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file {path} of the layer {name} is gone; bring it back, or choose another layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} is being edited; save or leave its edits first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} is read only.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The filter of the layer {name} hides examples; take it off first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A class needs a name.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The name {name} is too long for the field {field}; it takes {longest} characters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{colour} is no colour; write it as #rrggbb.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The field {field} of the layer {name} has {count} different values; choose a layer of classes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer for labels cannot be read; choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} has neither points nor polygons; choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} has no field {field}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The field {field} of the layer {name} is not text; choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} is read only; export it as a GeoPackage first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The labels are being edited, filtered or not in a file; save them first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The view shows nothing of what was embedded; move it there, or press Embed the view.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a layer for the labels, or make a new one, first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add a class and choose it first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to suggest yet; label places of two classes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No label looks like another class.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed the view first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This place lies outside what was embedded; click inside it, or press Embed the view.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What was embedded is not there any more; press Embed the view.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where to label next</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map of the view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer of the labels cannot be read; bring its file back, or choose another layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} has no raster file to read; export it as a GeoTIFF and choose that.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} has no CRS; set it with Layer CRS in its menu.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the rasters to look at first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>F1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No score yet: label more places of each class, apart from each other.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 on ground that was not seen: {score}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Raw bands alone: {score}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The folder {path} of the QGIS profile cannot be written ({reason}); make it writable.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat on other layers…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python of the environment that JEPA-GFM is installed in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The python program, or the folder of its environment. Empty: the one found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic: the GPU if there is one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Graphics card (NVIDIA, CUDA)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the network runs, unless a run says otherwise.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chosen here: {python}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Found: set up here, or written by `gfm doctor --for-qgis` or `make demo`.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None found: press Set up, choose one here, or run `gfm doctor --for-qgis` in the environment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the Python of an environment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checking; the first time takes up to a minute.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not everything works: see the lines with a cross.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set up an environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python 3.11 or newer that the environment is made with. Empty: the best that is found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from the internet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For a computer without internet: a folder of wheels, made by `make wheelhouse`.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python to make it with</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wheel folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs {cpu} GB on the disk ({gpu} GB with an NVIDIA graphics card); {free} GB are free at {folder}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last set-up was interrupted; press Set up, and it is made anew.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Setting up; QGIS can be used meanwhile, and this window may be closed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the environment in {folder}? Your files, settings and results stay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Removing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The environment is removed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} could not be written ({reason}); choose another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Written to {path}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Setting up JEPA-GFM</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled; what was begun is removed again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turn rasters of one place into an embedding: a raster with a vector for every ground cell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use it once for a place, then ask it as often as you like: maps from an embedding take seconds. Every raster is read at its own resolution and in its own CRS; nothing has to be resampled first. An embedding is an ordinary raster of 8-bit bands with a scale and an offset; its tags tell how it was made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates (FILE:as=SENSOR, FILE:crs=EPSG:N).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the result is written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Result</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side of a cell in metres; default: 2 pixels of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model: a name, a checkpoint file, or a training run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network that makes the embedding; a file is a checkpoint from gfm train.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ground to cover: X0,Y0,X1,Y1 in the grid&apos;s CRS, a layer&apos;s file, &apos;union&apos; or &apos;intersection&apos; of the rasters; default: that of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Extent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ground to cover; default: that of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CRS of the grid, in metres; default: that of the finest raster, else its UTM zone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CRS of the grid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the network runs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number format of the network; auto: bf16 where the chip has units for it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Precision</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Worker threads; default: one a core.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Threads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Windows in one call of the network on a GPU.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Batch on a GPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace outputs that exist.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups to store.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Storage: 8 bits with a scale, or float32.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Storage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lay the file out for reading over the web (Cloud Optimized GeoTIFF).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cloud Optimized GeoTIFF</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write a STAC item beside the file, so that catalogues find it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>STAC item</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dask scheduler whose workers embed (tcp://HOST:8786); they must see the same files and the output&apos;s folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dask scheduler</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat the run that made this embedding (cell size, model, groups, normalisation) on other rasters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Like embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>features</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>deep learning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>JEPA</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sentinel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>multi-resolution</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fusion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The command that repeats the run in a shell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The lines that repeat the run in Python.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As Python</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A picture of the embedding: its three main components.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rows of cells.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Columns of cells.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Columns</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side of a cell in metres.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cell size (m)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bands of the embedding.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bands</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a land-cover map from a few labels, with a confidence layer, honest scores and a report.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the rasters of one place, or one embedding of it, and polygons or points with a field that holds the class. The map lies on the pixels of the finest raster (from an embedding: on its cells). The score comes from ground that the classifier did not see, beside that of the raw bands alone. A few polygons a class, spread over the place, are worth more than many in one corner.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Beside the map lie the probability of each pixel&apos;s class, its candidates (one: sure, two, or more: don&apos;t know) with a mask of where the labels say nothing, and points at labels that look like another class.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels: polygons, points or a categorical raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons or points with a field that holds the class; any CRS.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the labels file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field of the labels that holds the class (text or number).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Class field</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the labels for which this SQL condition holds, such as &quot;split = &apos;train&apos;&quot;.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only labels where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the labels for which this expression is true.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels to score the map on: a file, or &apos;rest&apos; for the rows that the condition leaves out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels to check on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels that the classifier does not see: the finished map is scored on them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups, a head each; auto: all that the input gives.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classifier: auto (linear discriminant), lda, logistic, forest, knn, or a file from --save-head.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classifier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>auto is a linear discriminant; a file holds one that was fitted and kept before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Average probabilities over near pixels that look alike; auto: along the image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of ground whose true class is to be among a pixel&apos;s candidates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Store the fitted classifier in this file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fitted classifier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel size of the map in metres; default: the finest raster&apos;s own pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel size of the map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON); default: MAP_report beside the map.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classify land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>land use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>classification</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>supervised</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>confidence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>training samples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Probability of each pixel&apos;s class in %.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How sure each pixel is: one candidate, two, or don&apos;t know; the candidates; where labels say nothing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels that look like another class, the worst first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Suspicious labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The report: scores, areas, settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A picture of the legend.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Legend</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of classes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mean F1 of the classes on spatial folds, 0 to 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 on folds</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same score of the raw bands alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 of raw bands</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mean F1 of the classes on the labels to check on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 on check labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make the map of another area or date with a classifier that was fitted before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the rasters (the same sensors and bands) or one embedding of the other place, and the file that &quot;Classify land cover&quot; kept. Where the ground looks like nothing that the classifier has seen, the candidates layer says so: believe the map inside its area of applicability.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fitted classifier, kept by gfm classify --save-head.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A file that Classify land cover kept (its advanced parameter Fitted classifier).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Apply a saved classifier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>transfer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>other date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>other area</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>applicability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>monitoring</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The map of classes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How sure each pixel is, its candidates, and where the ground looks like nothing that was labelled.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The report: areas, settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the map outside the classifier&apos;s area of applicability, 0 to 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Outside applicability</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find places that look like a few examples.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give one embedding, or rasters, and a few polygons or points of what you look for; counter-examples of what it is often taken for help. The raster tells how alike each cell is (0 to 100), the polygons are the best places, the surest first. No class names and no training: one click can be enough.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One embedding, or rasters of one place, each as it is (FILE:as=SENSOR, FILE:crs=EPSG:N).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embedding or rasters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One embedding, or rasters of one place, each as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups to look at; auto: those that were found best for the question.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Examples: polygons or points of what is looked for.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons or points of what is looked for; any CRS.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the file of examples.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the examples for which this SQL condition holds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only examples where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the examples for which this expression is true.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Counter-examples: polygons or points of what is not meant.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Counter-examples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How alike a place must be to become a polygon, 0 to 100; default: what four of five examples reach.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many places at most become polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Places at most</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smallest place in m²; default: one cell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smallest place (m²)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find similar places</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>similarity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>search</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>examples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>one class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>detection</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How alike each cell is to the examples, 0 to 100.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The best places, the surest first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Places</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of places.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How alike a place is at least.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find what changed on the ground between two dates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the embedding, or the rasters, of the earlier date and of the later one. What differs everywhere (season, sun, haze, the sensor&apos;s settings) is learnt from the scene itself and taken out; what is left is told in standard deviations of unchanged ground. With a classifier from &quot;Classify land cover&quot; each change tells what was there and what is there now. It is for change of up to a tenth of the ground: where more of it changed, that is what the scene teaches it to expect; then give more ground around, or cluster the rasters of both dates together.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The earlier date: one embedding, or rasters of one place.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The later date: one embedding of the same cells, or rasters of the same sensors; give it once a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>After</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The later date: one embedding of the same cells, or rasters of the same sensors.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard deviations from which on ground has changed; default: so that one change in fifty is false.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smallest change in m²; default: four cells.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smallest change (m²)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fitted classifier (from gfm classify --save-head) that tells the classes before and after.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A file that Classify land cover kept: each change then tells the classes before and after.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Detect change</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>change detection</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>two dates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>burnt area</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>flood</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>damage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>deforestation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change in standard deviations of unchanged ground.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What changed, the strongest first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of changes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard deviations from which on ground has changed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ground that changed, in m².</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Changed ground (m²)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sort the ground into kinds that look alike, without any label.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use it to start where there are no labels: the clusters show what can be told apart, and what to label first. They have numbers, not names; the largest is the first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many clusters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of the draw that the search starts from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cluster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>clustering</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unsupervised</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>k-means</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>segmentation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clusters, the largest first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of the ground in the largest cluster, 0 to 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Largest cluster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimate a number (tree cover, height, yield) on every cell from places where it is known.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give one embedding, or rasters, and points or polygons with a field that holds the number, or a raster of it. The estimate comes with an interval that holds the truth as often as asked, and with R² and RMSE from ground that it did not see, beside those of the raw bands alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Known values: points or polygons with a number, or a raster of it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Known values</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points or polygons with a field that holds the number; any CRS.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the file of known values.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field that holds the number.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field of the number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the places for which this SQL condition holds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only places where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the places for which this expression is true.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Regression; auto: ridge, which is quick; both: the mean of ridge and forest, a little better and slow.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Method</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of ground whose true value is to lie in the interval.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smallest number that there can be: known values below are none, estimates end there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest value</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Largest number that there can be (such as 100 for a percentage).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Highest value</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cells of a raster of known values to learn from, at most.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Samples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON); default: RESULT_report beside the result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Estimate values</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>regression</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>tree cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>biomass</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>height</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>yield</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>prediction interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The number on every cell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lower and upper end of its interval.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The report: scores, scatter plot, settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Places that it was learnt from.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Known places</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R² on spatial folds: 1 is perfect, 0 no better than the mean.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R²</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Root of the mean squared error on spatial folds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>RMSE</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same R² of the raw bands alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R² of raw bands</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same R² of the bands with their statistics.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R² of bands and statistics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of places inside their interval on spatial folds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inside the interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say how right a map is and how much ground each class really covers, after Olofsson et al. (2014).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run it twice. First with the map alone: it draws points, so many a class that the result will be as sure as asked. Look at each point, on better images or in the field, and write what is there into the field &quot;reference&quot;. Then run it with these points: the error matrix, the accuracies and the areas come with their confidence intervals.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map of classes, one band of whole numbers.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points: those to look at, or with a sample the same points with what the map says.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The points that were looked at; without them a sample is drawn.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points looked at</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the file of points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field of the points that holds what is there; default: reference.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reference field</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many points to draw; default: as many as the standard error needs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points to draw</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points that even the rarest class gets.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points a class at least</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard error of the overall accuracy that the sample is made for.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard error</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Accuracy that every class is expected to have, for the size of the sample.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Expected accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How sure the intervals are.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of the draw.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON) of a sample; default: POINTS_report beside the points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Assess accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>error matrix</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>confusion matrix</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>area estimation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>validation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>sample</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The report: error matrix, accuracies, areas.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Overall accuracy, 0 to 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Overall accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half the width of its interval.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>± overall accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give each polygon the mean and the standard deviation of the embedding inside it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The table (GeoPackage, or GeoParquet for a name that ends on .parquet) keeps the polygons and their fields: what any statistics program or model of your own can go on with. Cells count by the share that lies inside.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons with their statistics: .gpkg or .parquet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the file of polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the polygons for which this SQL condition holds.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only polygons where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the polygons for which this expression is true.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is told of each band.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed to vector</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>zonal statistics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>polygons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>parcels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>GeoParquet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The polygons with their statistics.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of polygons.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of fields that were added.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fields added</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons outside the rasters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons outside</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
